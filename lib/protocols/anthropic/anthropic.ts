/**
 * Anthropic's Messages API.
 *
 * @module
 */
import { decode, decodeError } from "./decode.ts";
import { encoder } from "./encode.ts";
import { ClaudeStreamDecoder } from "./stream.ts";
import { claudeModelList } from "../model_list.ts";
import type { Protocol } from "../protocol.ts";

/** The Messages format. */
export const claude: Protocol = {
  name: "claude",
  serve: async () => (await import("./serve.ts")).anthropicServer,
  encoder,
  decode,
  streamDecoder: () => new ClaudeStreamDecoder(),
  modelList: claudeModelList,
  // Source: Anthropic API reference, "Messages", sources of type `url` of images and documents.
  fetchedUrls: { image: true, file: true, audio: false },
  exactNumbers: true,
  decodeError,
};
