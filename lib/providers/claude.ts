/**
 * Anthropic's Messages API.
 *
 * @module
 */
import { decode, decodeError } from "./claude_decode.ts";
import { encoder } from "./claude_encode.ts";
import { ClaudeStreamDecoder } from "./claude_stream.ts";
import { claudeModelList } from "./model_list.ts";
import type { Provider } from "./provider.ts";

/** The Messages format. */
export const claude: Provider = {
  name: "claude",
  encoder,
  decode,
  streamDecoder: () => new ClaudeStreamDecoder(),
  modelList: claudeModelList,
  // Source: Anthropic API reference, "Messages", sources of type `url` of images and documents.
  fetchedUrls: { image: true, file: true, audio: false },
  exactNumbers: true,
  decodeError,
};
