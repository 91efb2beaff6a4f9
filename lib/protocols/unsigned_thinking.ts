/**
 * Marks thinking of other providers in Anthropic's and OpenAI's formats, and finds it in the history that comes back.
 *
 * It has no signature, so the provider whose format it is in would reject it.
 *
 * @module
 */
import { asText, type Json } from "../json/json.ts";

const ID_END = "_unsigned";

/** The id of a reasoning item that OpenAI did not write. */
export function unsignedItemId(id: string): string {
  return `rs_${id}${ID_END}`;
}

/** Whether an item of the Responses API is reasoning that OpenAI did not write. */
export function isUnsignedItem({ type, id }: Json): boolean {
  return type === "reasoning" && asText(id)?.endsWith(ID_END) === true;
}

/** Whether a block of Anthropic's API is thinking that Anthropic did not write. */
export function isUnsignedBlock({ type, signature }: Json): boolean {
  return type === "thinking" && signature === "";
}

/** What a body with unsigned thinking contains, by format. Text inside JSON strings has its quotes escaped. */
const TRACES: Readonly<Record<string, RegExp>> = {
  claude: /"signature":\s?""/,
  responses: /_unsigned"/,
};

/** Whether a body may contain unsigned thinking. */
export function hasUnsignedThinking(format: string, body: string): boolean {
  return TRACES[format]?.test(body) ?? false;
}
