/**
 * Reads bodies up to a bound, so that no server can fill the memory.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { streamsFillMemory } from "../runtime/runtime.ts";
import { readWhole } from "./body_reader.ts";

const MIB = 1024 * 1024;
/** The most bytes of a whole answer, and of one event of a streamed one. */
export const MAX_ANSWER_BYTES = 64 * MIB;
/** The most bytes of all events of a streamed answer: some millions of tokens. */
export const MAX_STREAM_BYTES = 512 * MIB;

/** The error for an answer, or a part of one, of more than `bytes`. */
export function tooLarge(what: string, bytes: number): MalformedResponseError {
  return new MalformedResponseError(`${what} is larger than ${bytes / MIB} MiB`, {
    hint: "No model writes that much: check the base URL.",
  });
}

const UTF_8 = "utf-8";
const decoder = new TextDecoder(UTF_8);

/**
 * The charset of an answer, as a name that `TextDecoder` knows. Some gateways send JSON in the charset of
 * their country, which RFC 8259 does not allow; an event stream is UTF-8 whatever its type says (HTML
 * standard, "Server-sent events").
 */
export function charsetOf({ headers }: Response): string {
  const type = headers.get("content-type") ?? "";
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? UTF_8;
  if (/^utf-?8$/i.test(charset) || /^\s*text\/event-stream/i.test(type)) return UTF_8;
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    return UTF_8;
  }
}

/** Whether a body tells its length, and cannot be too long. */
function isBounded({ headers }: Response): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= MAX_ANSWER_BYTES &&
    headers.get("content-encoding") === null;
}

/**
 * The text of a whole answer.
 *
 * @throws {MalformedResponseError} when it is larger than {@link MAX_ANSWER_BYTES}
 */
export async function readBody(response: Response): Promise<string> {
  const { body } = response;
  if (body === null) return "";
  // Elsewhere the runtime's own way is the faster one, where nothing can happen.
  const charset = charsetOf(response);
  if (!streamsFillMemory && charset === UTF_8 && isBounded(response)) {
    return await response.text();
  }
  const decoding = charset === UTF_8 ? decoder : new TextDecoder(charset);
  const text = await readWhole(body, MAX_ANSWER_BYTES, (bytes) => decoding.decode(bytes));
  if (text === undefined) throw tooLarge("the answer", MAX_ANSWER_BYTES);
  return text;
}
