/**
 * The server side of OpenAI's Chat Completions API.
 *
 * @module
 */
import type { ProtocolServer } from "../serve.ts";
import { encodeError, encodeHeaders } from "./serve_error.ts";
import { encodeModel, encodeModels } from "./serve_models.ts";
import { decodeRequest } from "./serve_request.ts";
import { encodeResponse } from "./serve_result.ts";
import { ChatStreamEncoder } from "./serve_stream.ts";
import { validate } from "./validate.ts";

/** Serves Chat Completions. */
export const chatServer: ProtocolServer = {
  prefixes: ["", "/v1"],
  routes: [{ path: "/chat/completions", operation: "chat" }],
  // The format of everything that no other format claims.
  claims: () => true,
  validate,
  decodeRequest,
  encodeResponse,
  streamEncoder: (head, request) => new ChatStreamEncoder(head, request),
  answersWithImages: true,
  encodeError,
  overloadedStatus: 503,
  encodeModels,
  encodeModel,
  toolCallPrefix: "call_",
  headers: encodeHeaders,
};
