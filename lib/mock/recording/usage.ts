/**
 * Finds the token counts in a recorded answer of any API, for the access log.
 *
 * @module
 */
import { asObject, tryParse } from "../../json/json.ts";
import type { AccessFacts } from "../access_log.ts";

/** The names of the counts in OpenAI's two APIs, Anthropic's and Gemini's. */
const PROMPT = ["prompt_tokens", "input_tokens", "promptTokenCount"];
const COMPLETION = ["completion_tokens", "output_tokens", "candidatesTokenCount"];

/** The values of a body: the events of a stream, or the body itself. */
function* valuesIn(text: string): Generator<unknown> {
  const events = text.matchAll(/^data: ?(.*)$/gm);
  let isStream = false;
  for (const [, data] of events) {
    isStream = true;
    yield tryParse(data);
  }
  if (!isStream) yield tryParse(text);
}

/** Counts grow during a stream, so the largest is the final one. */
function largest(usage: Record<string, unknown>, names: string[], before: number | undefined) {
  const counts = names.map((name) => usage[name]).filter((count) => typeof count === "number");
  return counts.length === 0 ? before : Math.max(before ?? 0, ...counts);
}

/** The token counts in the body of an answer. */
export function usageOf(text: string): AccessFacts {
  const facts: AccessFacts = {};
  for (const value of valuesIn(text)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      const event = asObject(item) ?? {};
      // Anthropic and Responses put it inside the message.
      const holders = [event, asObject(event.message) ?? {}, asObject(event.response) ?? {}];
      for (const holder of holders) {
        const usage = asObject(holder.usage ?? holder.usageMetadata);
        if (usage === undefined) continue;
        facts.promptTokens = largest(usage, PROMPT, facts.promptTokens);
        facts.completionTokens = largest(usage, COMPLETION, facts.completionTokens);
      }
    }
  }
  return facts;
}
