/**
 * Canned responses: their format, and which one matches a request.
 *
 * @module
 */
import * as v from "valibot";
import type { Citation, TokenLogprob } from "../chat/result.ts";
import { InvalidInputError } from "../errors.ts";

/** A source that a canned response cites. Each protocol sends it as a web citation. */
export type CannedCitation = Omit<Citation, "raw">;

/** The answer to requests whose last user message matches a pattern. */
export interface CannedResponse {
  /**
   * A regular expression to search for in the last user message. Case-insensitive; `.` matches line breaks.
   * Without it, every message matches.
   */
  match?: string;
  /** The text. */
  text?: string;
  /** The tool calls. If `arguments` is a string, it is the input of an OpenAI custom tool. */
  toolCalls?: { name: string; arguments?: Record<string, unknown> | string }[];
  /** The text of a refusal. */
  refusal?: string;
  /** The cited sources. */
  citations?: CannedCitation[];
  /**
   * The log probabilities of the tokens, for requests that ask for them.
   *
   * @default generated
   */
  logprobs?: TokenLogprob[];
  /** The thinking. */
  thinking?: string;
  /** A status from 400 to 599 to fail with; `text` is the error message. */
  status?: number;
  /**
   * Seconds before the answer starts. Files may also use a unit: `500ms`, `2s`, `1m`.
   *
   * @default the mock's `delay`
   */
  delay?: number;
}

/** Case-insensitive, and `.` matches line breaks. */
const FLAGS = "is";

const tokenFields = {
  token: v.string(),
  logprob: v.number(),
  bytes: v.nullish(v.array(v.number())),
};
const position = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));

const SECONDS_PER_UNIT: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

const DELAY = "expected seconds ≥ 0, or a duration such as 500ms or 2s";

/** Seconds, as a number or as text with a unit. */
const delay = v.union([
  v.pipe(v.number(), v.minValue(0, DELAY)),
  v.pipe(
    v.string(),
    v.regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/, DELAY),
    v.transform((text) => Number.parseFloat(text) * SECONDS_PER_UNIT[text.replace(/[\d.\s]/g, "")]),
  ),
], DELAY);

const canned = v.strictObject({
  match: v.optional(v.pipe(
    v.string(),
    v.check((pattern) => {
      try {
        return new RegExp(pattern, FLAGS) !== null;
      } catch {
        return false;
      }
    }, "expected a regular expression"),
  )),
  text: v.optional(v.string()),
  toolCalls: v.optional(v.array(v.strictObject({
    name: v.string(),
    arguments: v.optional(v.union([v.string(), v.record(v.string(), v.unknown())])),
  }))),
  refusal: v.optional(v.string()),
  citations: v.optional(v.array(v.strictObject({
    url: v.optional(v.string()),
    title: v.optional(v.string()),
    text: v.optional(v.string()),
    start: position,
    end: position,
  }))),
  logprobs: v.optional(v.array(v.strictObject({
    ...tokenFields,
    topLogprobs: v.optional(v.array(v.strictObject(tokenFields))),
  }))),
  thinking: v.optional(v.string()),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599))),
  delay: v.optional(delay),
});

/** The first response whose pattern matches `prompt`. */
export function findCanned(
  responses: readonly CannedResponse[],
  prompt: string,
): CannedResponse | undefined {
  return responses.find(({ match }) =>
    match === undefined || new RegExp(match, FLAGS).test(prompt)
  );
}

function check(value: unknown, location: string): CannedResponse {
  const result = v.safeParse(canned, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "the response";
  const isUnknown = issue.type === "strict_object" && issue.expected === "never";
  throw new InvalidInputError(
    `${location}: ${isUnknown ? `unknown field "${path}"` : `${path}: ${issue.message}`}`,
    {
      hint:
        "Valid fields: match, text, toolCalls, thinking, refusal, citations, logprobs, status, delay.",
    },
  );
}

/**
 * Parses a file of canned responses: one JSON object per line (`.jsonl`), or a YAML or JSON list.
 *
 * @throws {InvalidInputError} with the location of the first mistake
 */
export async function parseCanned(file: string, text: string): Promise<CannedResponse[]> {
  if (file.endsWith(".jsonl")) {
    return text.split("\n").flatMap((line, i) => {
      if (line.trim() === "") return [];
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (cause) {
        throw new InvalidInputError(`${file}:${i + 1}: not valid JSON`, { cause });
      }
      return [check(value, `${file}:${i + 1}`)];
    });
  }
  const { parseConfig } = await import("../files/document.ts");
  const document = parseConfig(file, text);
  if (!Array.isArray(document.value)) {
    throw new InvalidInputError(`${file}: expected a list of responses`);
  }
  return document.value.map((value, i) => check(value, document.locate([i], "value")));
}
