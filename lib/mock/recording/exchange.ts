/**
 * Defines the format of recordings: a JSONL file with one exchange per line.
 *
 * @module
 */
import * as v from "valibot";
import { InvalidInputError } from "../../errors.ts";
import { isJson, parseExact } from "../../json/json.ts";

/** The version of the format, in every line. */
export const RECORDING_VERSION = 1;

/** Part of a body: text, or Base64 if it is not UTF-8. */
export type RecordedBytes = { text: string; base64?: undefined } | {
  base64: string;
  text?: undefined;
};

/** A piece of a response body. */
export type RecordedChunk = RecordedBytes & {
  /** When it arrived, in milliseconds since the request was sent. */
  at: number;
};

/** A recorded request. Replays compare all but the headers. */
export interface RecordedRequest {
  method: string;
  /** As the client sent it, with the query; keys in it are removed. */
  path: string;
  /** Headers that cannot hold a secret. */
  headers: Record<string, string>;
  /** The body: `json` if it is JSON, otherwise `text` or `base64`. Absent if there is none. */
  json?: unknown;
  text?: string;
  base64?: string;
}

/** A recorded response. */
export interface RecordedResponse {
  status: number;
  /** Without cookies, organizations, and headers that concern one connection. */
  headers: Record<string, string>;
  /** When the headers arrived, in milliseconds since the request was sent. */
  at: number;
  /** The body after decompression. */
  chunks: RecordedChunk[];
  /** `broken`: the server broke the connection. `aborted`: the client left. */
  end: "complete" | "broken" | "aborted";
  /** When the body ended, in milliseconds since the request was sent. */
  endAt: number;
}

/** One line of a recording. */
export interface Exchange {
  version: typeof RECORDING_VERSION;
  /** When the request was sent, in ISO 8601. */
  time: string;
  request: RecordedRequest;
  response: RecordedResponse;
}

/** An exchange and where it is in its file. */
export interface LocatedExchange extends Exchange {
  /** Counted from 1. */
  line: number;
}

const milliseconds = v.pipe(v.number(), v.minValue(0));
const headers = v.record(v.string(), v.string());
const exchange = v.object({
  version: v.literal(RECORDING_VERSION),
  time: v.string(),
  request: v.object({
    method: v.string(),
    path: v.pipe(v.string(), v.startsWith("/")),
    headers,
    json: v.optional(v.unknown()),
    text: v.optional(v.string()),
    base64: v.optional(v.string()),
  }),
  response: v.object({
    status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
    headers,
    at: milliseconds,
    chunks: v.array(v.union([
      v.object({ at: milliseconds, text: v.string() }),
      v.object({ at: milliseconds, base64: v.pipe(v.string(), v.base64()) }),
    ])),
    end: v.picklist(["complete", "broken", "aborted"]),
    endAt: milliseconds,
  }),
});

function parseLine(text: string, location: string): Exchange {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    throw new InvalidInputError(`${location}: not valid JSON`, {
      cause,
      hint: "A recording has one JSON object per line. Remove or fix that line.",
    });
  }
  const result = v.safeParse(exchange, value);
  if (result.success) return result.output as Exchange;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? "the line";
  throw new InvalidInputError(`${location}: ${field}: ${issue.message}`, {
    hint: "This is not a line of a recording. 'flexllm mock --record URL FILE' writes them.",
  });
}

/**
 * Parses a recording. The last line may be incomplete if the recorder was killed, and is then ignored.
 *
 * @throws {InvalidInputError} with the location of the first mistake
 */
export function parseRecording(file: string, text: string): LocatedExchange[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const exchanges: LocatedExchange[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    if (i === lines.length - 1 && !isJson(line)) break;
    exchanges.push({ ...parseLine(line, `${file}:${i + 1}`), line: i + 1 });
  }
  return exchanges;
}
