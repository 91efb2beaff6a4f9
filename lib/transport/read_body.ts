/**
 * Reads bodies up to a bound, so that no server can fill the memory.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { MalformedResponseError } from "../errors.ts";

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

/** The bytes of a body; `undefined`, with the connection cut, when they are more than `most`. */
export async function readAtMost(
  response: Response,
  most: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  while (true) {
    const { done, value } = await reader.read();
    if (done) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
    length += value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
}

/**
 * The text of a whole answer.
 *
 * @throws {MalformedResponseError} when it is larger than {@link MAX_ANSWER_BYTES}
 */
export async function readBody(response: Response): Promise<string> {
  const { headers } = response;
  const length = headers.get("content-length");
  // What tells its length and is not packed cannot be longer; the runtime reads it faster than we can.
  const isBounded = length !== null && Number(length) <= MAX_ANSWER_BYTES &&
    headers.get("content-encoding") === null;
  if (isBounded) return await response.text();
  const bytes = await readAtMost(response, MAX_ANSWER_BYTES);
  if (bytes === undefined) throw tooLarge("the answer", MAX_ANSWER_BYTES);
  return new TextDecoder().decode(bytes);
}
