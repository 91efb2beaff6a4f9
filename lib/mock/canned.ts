/**
 * Answers that a mock is given beforehand.
 *
 * @module
 */
import * as v from "valibot";
import type { Citation, TokenLogprob } from "../chat/result.ts";
import { InvalidInputError } from "../errors.ts";

/** A source that a canned answer cites, sent as a web citation of each protocol. */
export type CannedCitation = Omit<Citation, "raw">;

/** An answer for the requests whose last user message fits a pattern. */
export interface CannedResponse {
  /**
   * A regular expression that is looked for in the last user message, whatever its case; without it,
   * every message fits.
   */
  match?: string;
  /** The text of the answer. */
  text?: string;
  /** The tools that the answer calls; a string is the input of one of OpenAI's custom tools. */
  toolCalls?: { name: string; arguments?: Record<string, unknown> | string }[];
  /** Makes the answer a refusal with this text. */
  refusal?: string;
  /** The sources that the answer cites. */
  citations?: CannedCitation[];
  /** The log probabilities of the answer's tokens, for requests that want them; default made up. */
  logprobs?: TokenLogprob[];
  /** The thinking that the answer shows. */
  thinking?: string;
  /** A status of 400 or more makes the answer an error with this status, and `text` its message. */
  status?: number;
  /** Seconds before the answer begins, instead of the mock's own delay. */
  delay?: number;
}

/** Case does not matter, and a dot fits a line break. */
const FLAGS = "is";

const tokenFields = {
  token: v.string(),
  logprob: v.number(),
  bytes: v.nullish(v.array(v.number())),
};
const place = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));

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
    start: place,
    end: place,
  }))),
  logprobs: v.optional(v.array(v.strictObject({
    ...tokenFields,
    topLogprobs: v.optional(v.array(v.strictObject(tokenFields))),
  }))),
  thinking: v.optional(v.string()),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599))),
  delay: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** The first answer whose pattern is found in `question`. */
export function findCanned(
  responses: readonly CannedResponse[],
  question: string,
): CannedResponse | undefined {
  return responses.find(({ match }) =>
    match === undefined || new RegExp(match, FLAGS).test(question)
  );
}

function check(value: unknown, place: string): CannedResponse {
  const result = v.safeParse(canned, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "the answer";
  const isUnknown = issue.type === "strict_object" && issue.expected === "never";
  throw new InvalidInputError(
    `${place}: ${isUnknown ? `unknown field "${path}"` : `${path}: ${issue.message}`}`,
    {
      hint: "An answer can have match, text, toolCalls, thinking, refusal, citations, logprobs, " +
        "status and delay.",
    },
  );
}

/**
 * Reads answers from the content of a file: one JSON object a line (`.jsonl`), or a YAML or JSON list.
 *
 * @throws {InvalidInputError} with the place of the first mistake
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
    throw new InvalidInputError(`${file}: expected a list of answers`);
  }
  return document.value.map((value, i) => check(value, document.locate([i], "value")));
}
