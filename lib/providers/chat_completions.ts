/**
 * OpenAI's Chat Completions API, spoken by OpenAI and by most other services.
 *
 * @module
 */
import { decode, decodeError } from "./chat_decode.ts";
import { encoder } from "./chat_encode.ts";
import { ChatStreamDecoder } from "./chat_stream.ts";
import { openaiModelList } from "./model_list.ts";
import type { Provider } from "./provider.ts";

/** The Chat Completions format. */
export const chatCompletions: Provider = {
  name: "chat",
  encoder,
  decode,
  streamDecoder: (endpoint) => new ChatStreamDecoder(endpoint),
  modelList: openaiModelList,
  decodeError,
};
