/**
 * The Responses protocol: OpenAI's newer API.
 *
 * @module
 */
import type { Protocol } from "../protocol.ts";
import { asObject } from "../../json/json.ts";
import { modelList } from "../openai_chat/models.ts";
import { rateLimitHeaders } from "../openai_chat/rate_limits.ts";
import { rawRequests } from "../openai_chat/raw_request.ts";
import { decodeError } from "../openai_error.ts";
import { decode, failureOf } from "./decode.ts";
import { encoder } from "./encode.ts";
import { needsResponses } from "./needs_responses.ts";
import { ResponsesStreamDecoder } from "./stream.ts";

/** The Responses format. */
export const openaiResponses: Protocol<"responses"> = {
  name: "responses",
  isRequired: needsResponses,
  isAnswer: ({ output }) => Array.isArray(output),
  serve: async () => (await import("./serve.ts")).responsesServer,
  encoder,
  rawRequest: rawRequests({
    chat: "/responses",
    count_tokens: "/responses/input_tokens",
    embeddings: "/embeddings",
  }),
  decode,
  streamDecoder: () => new ResponsesStreamDecoder(),
  modelList,
  // Source: OpenAI API documentation, "File inputs": `file_url`.
  fetchedUrls: { image: true, file: true, audio: false },
  neutralFields: { stream: true, stream_options: true, tool_choice: ['"auto"'] },
  rateLimitHeaders,
  decodeError: (body) => {
    const response = asObject(body);
    return Array.isArray(response?.output) ? failureOf(response) : decodeError(body);
  },
};
