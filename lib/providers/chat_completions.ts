/**
 * OpenAI's Chat Completions API, spoken by OpenAI and by most other services.
 *
 * @module
 */
import { decode } from "./chat_decode.ts";
import { decodeError } from "./chat_error.ts";
import { encoder } from "./chat_encode.ts";
import { ChatStreamDecoder } from "./chat_stream.ts";
import { openaiModelList } from "./model_list.ts";
import type { Provider } from "./provider.ts";

/** The Chat Completions format. */
export const chatCompletions: Provider = {
  name: "chat",
  encoder,
  decode,
  streamDecoder: (endpoint, thinks) => new ChatStreamDecoder(endpoint, thinks),
  modelList: openaiModelList,
  // Source: OpenAI API documentation, "File inputs": no `file_url` here, and "Audio": base64 only.
  fetchedUrls: { image: true, file: false, audio: false },
  decodeError,
};
