/**
 * Estimates the input tokens of a request in any format from its parsed body, without decoding it.
 *
 * @module
 */
import { textSize } from "../pricing/token_estimate.ts";

/** Estimated tokens of an image, file or recording whose data is in the body. */
const ATTACHMENT = 1600;
/** Text of at least this length that looks like base64 is data, not text. */
const MIN_DATA = 512;
/** How much of it is looked at. */
const SAMPLE = 256;
/** Tokens of a field besides its value: the format around messages and schemas. */
const PER_FIELD = 1;

/** Whether a string is the data of an attachment. */
function isData(text: string): boolean {
  if (text.startsWith("data:")) return true;
  return text.length >= MIN_DATA && /^[\w+/=-]+$/.test(text.slice(0, SAMPLE));
}

/** The size of a body, and whether it is only a rough guess. */
export interface BodySize {
  tokens: number;
  hasAttachments: boolean;
}

/** Estimates the tokens of a body. Its nesting must be limited. */
export function bodySize(body: unknown): BodySize {
  let tokens = 3;
  let hasAttachments = false;
  const add = (value: unknown): void => {
    if (typeof value === "string") {
      if (!isData(value)) tokens += textSize(value);
      else {
        tokens += ATTACHMENT;
        hasAttachments = true;
      }
    } else if (Array.isArray(value)) {
      for (const item of value) add(item);
    } else if (typeof value === "object" && value !== null) {
      for (const name in value) {
        tokens += PER_FIELD;
        add((value as Record<string, unknown>)[name]);
      }
    } else {
      tokens += PER_FIELD;
    }
  };
  add(body);
  return { tokens, hasAttachments };
}
