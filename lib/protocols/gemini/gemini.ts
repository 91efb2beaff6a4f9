/**
 * The Gemini protocol: Google's Gemini API and Vertex AI.
 *
 * @module
 */
import { decode } from "./decode.ts";
import { decodeError } from "../google_error.ts";
import { encoder } from "./encode.ts";
import { modelList } from "./models.ts";
import { rawRequest } from "./raw_request.ts";
import { GeminiStreamDecoder } from "./stream.ts";
import type { FetchedUrls, OfficialProtocol } from "../protocol.ts";

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
export const gemini: OfficialProtocol<"gemini"> = {
  name: "gemini",
  official: {
    company: "Google",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    keyVariable: "GEMINI_API_KEY",
    billingPage: "aistudio.google.com under Billing",
  },
  isAnswer: ({ candidates }) => Array.isArray(candidates),
  serve: async () => (await import("./serve.ts")).geminiServer,
  encoder,
  rawRequest,
  decode,
  streamDecoder: () => new GeminiStreamDecoder(),
  modelList,
  fetchedUrls,
  exactNumbers: true,
  neutralFields: { toolConfig: ['{"functionCallingConfig":{"mode":"AUTO"}}'] },
  rateLimitHeaders: [],
  decodeError,
};
