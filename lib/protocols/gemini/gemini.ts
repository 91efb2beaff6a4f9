/**
 * Google's Gemini API.
 *
 * @module
 */
import { decode } from "./decode.ts";
import { decodeError } from "../google_error.ts";
import { encoder } from "./encode.ts";
import { GeminiStreamDecoder } from "./stream.ts";
import { geminiModelList } from "../model_list.ts";
import type { FetchedUrls, Protocol } from "../protocol.ts";

/**
 * Only newer models fetch web URLs, and no other service of this format does, so web content is sent as
 * data. Files in Google's own stores and YouTube videos can only be sent by URL.
 *
 * Source: Gemini API documentation, "File input methods" and "Video understanding".
 */
const fetchedUrls: FetchedUrls = {
  image: false,
  file: false,
  audio: false,
  stored:
    /^(gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/|https:\/\/(www\.)?youtube\.com\/watch|https:\/\/youtu\.be\/)/i,
};

/** The generateContent format. */
export const gemini: Protocol = {
  name: "gemini",
  serve: async () => (await import("./serve.ts")).geminiServer,
  encoder,
  decode,
  streamDecoder: () => new GeminiStreamDecoder(),
  modelList: geminiModelList,
  fetchedUrls,
  exactNumbers: true,
  decodeError,
};
