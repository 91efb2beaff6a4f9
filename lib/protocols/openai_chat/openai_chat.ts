/**
 * The Chat Completions protocol: OpenAI's API, and that of most other services.
 *
 * @module
 */
import { decode } from "./decode.ts";
import { decodeError } from "../openai_error.ts";
import { encoder } from "./encode.ts";
import { modelList } from "./models.ts";
import { rateLimitHeaders } from "./rate_limits.ts";
import { rawRequests } from "./raw_request.ts";
import { ChatStreamDecoder } from "./stream.ts";
import type { Protocol } from "../protocol.ts";

/** The Chat Completions format. */
export const openaiChat: Protocol<"chat"> = {
  name: "chat",
  // Google and others offer this format next to their own.
  pathMarker: /\/openai(\/|$)/,
  isAnswer: ({ choices }) => Array.isArray(choices),
  serve: async () => (await import("./serve.ts")).chatServer,
  encoder,
  rawRequest: rawRequests({ chat: "/chat/completions", embeddings: "/embeddings" }),
  decode,
  streamDecoder: (endpoint, isThinkingRequested) =>
    new ChatStreamDecoder(endpoint, isThinkingRequested),
  modelList,
  // Source: OpenAI API documentation, "File inputs": no `file_url` here, and "Audio": base64 only.
  fetchedUrls: { image: true, file: false, audio: false },
  neutralFields: {
    stream: true,
    stream_options: true,
    n: ["1"],
    response_format: ['{"type":"text"}'],
    tool_choice: ['"auto"'],
  },
  rateLimitHeaders,
  decodeError,
};
