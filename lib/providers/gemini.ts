/**
 * Google's Gemini API.
 *
 * @module
 */
import { decode } from "./gemini_answer.ts";
import { decodeError } from "./gemini_decode.ts";
import { encoder } from "./gemini_encode.ts";
import { GeminiStreamDecoder } from "./gemini_stream.ts";
import { geminiModelList } from "./model_list.ts";
import type { Provider } from "./provider.ts";

/** The generateContent format. */
export const gemini: Provider = {
  name: "gemini",
  encoder,
  decode,
  streamDecoder: () => new GeminiStreamDecoder(),
  modelList: geminiModelList,
  inlineImages: true,
  decodeError,
};
