/**
 * Streams the rows of a part from its file, as the input of a provider's job.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { JobInput } from "../../batch_api/batch_api.ts";
import { JournalError } from "../../errors.ts";
import type { PartState } from "./part_events.ts";

/** Bytes that are read at once. */
const CHUNK_SIZE = 1 << 16;

function damaged(name: string, problem: string): JournalError {
  return new JournalError(`${name} ${problem}`, {
    hint: "It is the input of a provider batch that was planned, but not sent. To plan its rows " +
      "again, run 'flexllm batch cancel' with the result file, then the same command.",
  });
}

/** Streams a file whose content is known, and fails before its end if it has changed. */
function streamFile(
  path: string,
  name: string,
  { bytes, sha256 }: PartState,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const fd = openSync(path, "r");
  const hash = createHash("sha256");
  let position = 0;
  return new ReadableStream({
    pull(controller) {
      try {
        const chunk = new Uint8Array(Math.min(CHUNK_SIZE, bytes - position));
        const read = readSync(fd, chunk, 0, chunk.length, position);
        position += read;
        hash.update(chunk.subarray(0, read));
        const isDone = position === bytes;
        if (!isDone && read === 0 || isDone && hash.digest("hex") !== sha256) {
          throw damaged(name, "was changed");
        }
        controller.enqueue(chunk.subarray(0, read));
        if (!isDone) return;
        controller.close();
        closeSync(fd);
      } catch (error) {
        closeSync(fd);
        controller.error(error);
      }
    },
    cancel() {
      closeSync(fd);
    },
    // Nothing is read ahead, so a stream that is never read only costs a file descriptor.
  }, { highWaterMark: 0 });
}

/**
 * The input of a part.
 *
 * @param path the file with its rows
 * @param name the path for messages
 * @throws {JournalError} if the file is missing or has another size
 */
export function openPartInput(part: PartState, path: string, name: string): JobInput {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw damaged(name, "is missing");
  if (size !== part.bytes) throw damaged(name, "was changed");
  const input: JobInput = {
    nonce: part.part,
    model: part.model,
    path: part.path,
    rows: part.rows,
    bytes: part.bytes,
    open: () => streamFile(path, name, part),
  };
  if (part.uploaded !== undefined) input.uploaded = part.uploaded;
  return input;
}
