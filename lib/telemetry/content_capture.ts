/**
 * Reads whether the texts of prompts and answers may be recorded: by default they are not.
 *
 * @module
 */
import process from "node:process";
import type { GlobalApi } from "./global_api.ts";

/** The variable, which other GenAI instrumentations also honor. */
export const CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/** Where content is recorded. */
export interface ContentCapture {
  readonly onSpans: boolean;
  readonly onEvents: boolean;
}

const NOWHERE: ContentCapture = { onSpans: false, onEvents: false };

/** The values of {@link CAPTURE_VARIABLE}. */
const CAPTURES: ReadonlyMap<string, ContentCapture> = new Map([
  ["NO_CONTENT", NOWHERE],
  ["SPAN_ONLY", { onSpans: true, onEvents: false }],
  ["EVENT_ONLY", { onSpans: false, onEvents: true }],
  ["SPAN_AND_EVENT", { onSpans: true, onEvents: true }],
]);

/**
 * What a value of {@link CAPTURE_VARIABLE} means; content is not recorded if it is unset or unknown.
 */
export function parseCapture(
  value: string | undefined,
): { capture: ContentCapture; problem?: string } {
  const name = value?.trim().toUpperCase();
  if (!name) return { capture: NOWHERE };
  const capture = CAPTURES.get(name);
  if (capture !== undefined) return { capture };
  const expected = [...CAPTURES.keys()].join(", ");
  return {
    capture: NOWHERE,
    problem: `${CAPTURE_VARIABLE}: expected one of ${expected}, got ${JSON.stringify(value)}; ` +
      "content is not recorded",
  };
}

/** Reads {@link CAPTURE_VARIABLE}; a wrong value is reported to the logger of `api`, if it has one. */
export function contentCapture({ diag }: GlobalApi): ContentCapture {
  let value: string | undefined;
  try {
    value = process.env[CAPTURE_VARIABLE];
  } catch {
    // Deno, without the permission to read the variable.
  }
  const { capture, problem } = parseCapture(value);
  if (problem !== undefined) diag?.warn(`flexllm: ${problem}`);
  return capture;
}
