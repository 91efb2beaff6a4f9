/**
 * The server side of OpenAI's Responses API.
 *
 * @module
 */
import { asObject } from "../../json/json.ts";
import { encodeError, encodeHeaders } from "../openai_chat/serve_error.ts";
import { encodeModel, encodeModels } from "../openai_chat/serve_models.ts";
import type { ProtocolServer, ServerError, ServerEvent } from "../serve.ts";
import { decodeRequest } from "./serve_request.ts";
import { encodeResponse } from "./serve_response.ts";
import { ResponsesStreamEncoder } from "./serve_stream.ts";
import { validate } from "./validate.ts";

/** Encodes an error as the event `error`, which may come at any point of a stream. */
function encodeStreamError(error: ServerError): ServerEvent {
  const body = asObject(encodeError(error).body);
  const { code, type, message, param } = asObject(body?.error) ?? {};
  const data = { type: "error", code: code ?? type, message, param, sequence_number: 0 };
  return { event: "error", data: JSON.stringify(data) };
}

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
  encodeStreamError,
  overloadedStatus: 503,
  encodeModels,
  encodeModel,
  toolCallPrefix: "call_",
  headers: encodeHeaders,
};
