/**
 * The Anthropic protocol: Anthropic's Messages API and servers that are compatible with it.
 *
 * @module
 */
import { decode, decodeError } from "./decode.ts";
import { encoder } from "./encode.ts";
import { modelList } from "./models.ts";
import { rateLimitHeaders } from "./rate_limits.ts";
import { rawRequest } from "./raw_request.ts";
import { AnthropicStreamDecoder } from "./stream.ts";
import type { OfficialProtocol } from "../protocol.ts";

/**
 * Appends the version, which services leave out of the URLs they document, since Anthropic's own packages
 * add it (`ANTHROPIC_BASE_URL=https://api.deepseek.com/anthropic`).
 */
function completeBaseUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (/\/anthropic$/.test(url.pathname)) url.pathname += "/v1";
  return url.href;
}

/** The Messages format. */
export const anthropic: OfficialProtocol<"claude"> = {
  name: "claude",
  official: {
    company: "Anthropic",
    baseUrl: "https://api.anthropic.com/v1",
    keyVariable: "ANTHROPIC_API_KEY",
    billingPage: "console.anthropic.com under Billing",
  },
  pathMarker: /\/anthropic(\/|$)/,
  completeBaseUrl,
  isAnswer: ({ type }) => type === "message",
  serve: async () => (await import("./serve.ts")).anthropicServer,
  encoder,
  rawRequest,
  decode,
  streamDecoder: () => new AnthropicStreamDecoder(),
  modelList,
  // Source: Anthropic API reference, "Messages", sources of type `url` of images and documents.
  fetchedUrls: { image: true, file: true, audio: false },
  exactNumbers: true,
  neutralFields: { stream: true, tool_choice: ['{"type":"auto"}'] },
  rateLimitHeaders,
  decodeError,
};
