/**
 * OpenAI's Chat Completions API, spoken by OpenAI and by most other services.
 *
 * @module
 */
import { decode } from "./decode.ts";
import { decodeError } from "../openai_error.ts";
import { encoder } from "./encode.ts";
import { ChatStreamDecoder } from "./stream.ts";
import { openaiModelList } from "../model_list.ts";
import type { Protocol } from "../protocol.ts";

/** The Chat Completions format. */
export const chatCompletions: Protocol = {
  name: "chat",
  serve: async () => (await import("./serve.ts")).chatServer,
  encoder,
  decode,
  streamDecoder: (endpoint, thinks) => new ChatStreamDecoder(endpoint, thinks),
  modelList: openaiModelList,
  // Source: OpenAI API documentation, "File inputs": no `file_url` here, and "Audio": base64 only.
  fetchedUrls: { image: true, file: false, audio: false },
  decodeError,
};
