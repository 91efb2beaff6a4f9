/**
 * Finds the images that a model has drawn in an answer.
 *
 * Sources: Gemini API reference, "Part" (`inlineData`); OpenRouter, "Image Generation" (`message.images`).
 *
 * @module
 */
import type { ProviderMessage } from "../../../chat/messages.ts";
import { asObject, asObjects, asText } from "../../../json/json.ts";

/** The images of an answer as `data:` URLs or links; images of thoughts are drafts. */
export function answerImages(message: ProviderMessage | undefined): string[] {
  if (message?.format === "gemini") {
    return asObjects(message.content).flatMap(({ thought, inlineData }) => {
      const { mimeType, data } = asObject(inlineData) ?? {};
      const isImage = thought !== true && asText(mimeType)?.startsWith("image/");
      return isImage && asText(data) !== undefined ? [`data:${mimeType};base64,${data}`] : [];
    });
  }
  if (message?.format !== "chat") return [];
  return asObjects(asObject(message.content)?.images).flatMap(({ image_url }) =>
    asText(asObject(image_url)?.url) ?? []
  );
}
