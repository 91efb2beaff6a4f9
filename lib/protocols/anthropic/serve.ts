/**
 * The server side of Anthropic's Messages API.
 *
 * @module
 */
import type { ProtocolServer } from "../serve.ts";
import { encodeError, encodeHeaders } from "./serve_error.ts";
import { encodeResponse } from "./serve_message.ts";
import { encodeModel, encodeModels } from "./serve_models.ts";
import { decodeRequest } from "./serve_request.ts";
import { AnthropicStreamEncoder } from "./serve_stream.ts";
import { validate } from "./validate.ts";

const VERSION = "anthropic-version";

/** Serves the Messages API. */
export const anthropicServer: ProtocolServer = {
  prefixes: ["", "/v1"],
  routes: [
    { path: "/messages", operation: "chat" },
    { path: "/messages/count_tokens", operation: "count_tokens" },
  ],
  claims: (request) =>
    request.headers.has(VERSION) || /\/messages(\/|$)/.test(new URL(request.url).pathname),
  context: ({ headers }) => ({ version: headers.get(VERSION) ?? undefined }),
  validate,
  decodeRequest,
  encodeResponse,
  streamEncoder: (head, request) => new AnthropicStreamEncoder(head, request),
  encodeTokenCount: (input_tokens) => ({ input_tokens }),
  encodeError,
  encodeStreamError: (error, requestId) => ({
    event: "error",
    data: JSON.stringify(encodeError(error, requestId).body),
  }),
  // Anthropic's own status, which is not in the HTTP standard.
  overloadedStatus: 529,
  encodeModels,
  encodeModel,
  toolCallPrefix: "toolu_",
  headers: encodeHeaders,
};
