/**
 * The server side of OpenAI's Responses API.
 *
 * @module
 */
import { encodeError, encodeHeaders } from "../openai_chat/serve_error.ts";
import { encodeModel, encodeModels } from "../openai_chat/serve_models.ts";
import type { ProtocolServer } from "../serve.ts";
import { decodeRequest } from "./serve_request.ts";
import { encodeResponse } from "./serve_response.ts";
import { ResponsesStreamEncoder } from "./serve_stream.ts";
import { validate } from "./validate.ts";

/** Serves Responses. */
export const responsesServer: ProtocolServer = {
  prefixes: ["", "/v1"],
  routes: [
    { path: "/responses", operation: "chat" },
    { path: "/responses/input_tokens", operation: "count_tokens" },
  ],
  claims: (request) => /\/responses(\/|$)/.test(new URL(request.url).pathname),
  validate,
  decodeRequest,
  encodeResponse,
  streamEncoder: (head, request) => new ResponsesStreamEncoder(head, request),
  encodeTokenCount: (input_tokens) => ({ object: "response.input_tokens", input_tokens }),
  encodeError,
  overloadedStatus: 503,
  encodeModels,
  encodeModel,
  toolCallPrefix: "call_",
  headers: encodeHeaders,
};
