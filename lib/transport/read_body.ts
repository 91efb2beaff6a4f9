/**
 * Reads the text of response bodies, up to a maximum size, so that no server can exhaust our memory.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { isDispatched } from "../runtime/dispatched_response.ts";
import { readBytes } from "./body_reader.ts";

const MIB = 1024 * 1024;
/** Maximum bytes of a whole answer, and of one event of a streamed answer. */
export const MAX_ANSWER_BYTES = 64 * MIB;
/** Maximum bytes of all events of a streamed answer: several million tokens. */
export const MAX_STREAM_BYTES = 512 * MIB;

/** The error for an answer, or a part of one, that is larger than `bytes`. */
export function tooLarge(what: string, bytes: number): MalformedResponseError {
  return new MalformedResponseError(`${what} is larger than ${bytes / MIB} MiB`, {
    hint: "No model writes that much: check the base URL.",
  });
}

const UTF_8 = "utf-8";
const decoder = new TextDecoder(UTF_8);

/** The value of a header; `null` if there is none. `name` is in lower case. */
function headerOf(response: { headers: Headers }, name: string): string | null {
  return isDispatched(response) ? response.header(name) : response.headers.get(name);
}

/**
 * The charset of a response, as a name that `TextDecoder` knows. Some gateways send JSON in a national
 * charset, which RFC 8259 does not allow. An event stream is always UTF-8, whatever its content type says
 * (HTML standard, "Server-sent events").
 */
export function charsetOf(response: { headers: Headers }): string {
  const type = headerOf(response, "content-type") ?? "";
  // What nearly all servers send.
  if (type === "application/json") return UTF_8;
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? UTF_8;
  if (/^utf-?8$/i.test(charset) || /^\s*text\/event-stream/i.test(type)) return UTF_8;
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    return UTF_8;
  }
}

/**
 * Whether a body declares its length, and it is within the limit. With a transfer encoding that length does not count
 * (RFC 9112, section 6.3), although Deno and Bun pass it on.
 */
function isBounded(response: Response): boolean {
  const length = headerOf(response, "content-length");
  return length !== null && Number(length) <= MAX_ANSWER_BYTES &&
    headerOf(response, "content-encoding") === null &&
    headerOf(response, "transfer-encoding") === null;
}

/**
 * Reads the text of a whole response.
 *
 * @throws {MalformedResponseError} when it is larger than {@link MAX_ANSWER_BYTES}
 */
export function readBody(response: Response): Promise<string> {
  const charset = charsetOf(response);
  // The runtime's own text() is faster, and safe for a body of known length.
  if (charset === UTF_8 && isBounded(response)) return response.text();
  return readText(response, charset);
}

async function readText(response: Response, charset: string): Promise<string> {
  const decoding = charset === UTF_8 ? decoder : new TextDecoder(charset);
  const text = await readBytes(response, MAX_ANSWER_BYTES, (bytes) => decoding.decode(bytes));
  if (text === undefined) throw tooLarge("the answer", MAX_ANSWER_BYTES);
  return text;
}
