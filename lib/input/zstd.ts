/**
 * Decompresses zstd data in flat memory, and verifies that it is complete and undamaged.
 *
 * The decoders that the runtimes have are not used: at the end of truncated data they report no error,
 * and all but Bun's stop silently after the first frame. `fzstd` decodes, and this file checks the
 * structure of the frames and their checksums.
 *
 * Source: RFC 8878, "Zstandard Compression and the 'application/zstd' Media Type", section 3.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Decompress } from "fzstd";
import xxhash from "xxhash-wasm";

/** Why data cannot be decompressed. */
export class ZstdError extends Error {
  /** The name of the class. */
  override name = "ZstdError";
  /** `ZSTD_TRUNCATED` if the data ends too early. */
  readonly code?: string;

  /**
   * @param message what is wrong
   * @param code the `code`
   */
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

const FRAME = 0xfd2fb528;
/** The first of sixteen magic numbers of frames whose content is skipped. */
const SKIPPABLE = 0x184d2a50;
const NOTHING = new Uint8Array(0);
/** Bytes of the dictionary's number and of the content's size, by the bits of the frame's descriptor. */
const DICTIONARY_SIZES = [0, 1, 2, 4];
const CONTENT_SIZES = [0, 2, 4, 8];

type Sink = (bytes: Uint8Array) => void;

/** Reads chunks by numbers of bytes. */
class ByteQueue {
  readonly #chunks: Iterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(chunks: Iterable<Buffer>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Whether no byte is left. */
  isEmpty(): boolean {
    while (this.#chunk.length === 0) {
      const next = this.#chunks.next();
      if (next.done) return true;
      this.#chunk = next.value;
    }
    return false;
  }

  /** Passes the next `count` bytes to `sink`. */
  pass(count: number, sink: Sink): void {
    while (count > 0) {
      if (this.isEmpty()) throw new ZstdError("the data ends too early", "ZSTD_TRUNCATED");
      const bytes = this.#chunk.subarray(0, count);
      this.#chunk = this.#chunk.subarray(bytes.length);
      count -= bytes.length;
      sink(bytes);
    }
  }

  /** The next `count` bytes, which are also passed to `sink`. */
  take(count: number, sink: Sink = () => {}): Buffer {
    const parts: Uint8Array[] = [];
    this.pass(count, (bytes) => {
      parts.push(bytes);
      sink(bytes);
    });
    return Buffer.concat(parts);
  }
}

/** Passes one frame after its magic number to `sink`. Returns its checksum, if it has one. */
function passFrame(queue: ByteQueue, sink: Sink): number | undefined {
  const [descriptor] = queue.take(1, sink);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = CONTENT_SIZES[descriptor >> 6] || (isSingleSegment ? 1 : 0);
  if ((descriptor & 3) !== 0) throw new ZstdError("it was compressed with a dictionary");
  queue.pass((isSingleSegment ? 0 : 1) + DICTIONARY_SIZES[descriptor & 3] + contentSize, sink);
  for (let isLast = false; !isLast;) {
    const header = queue.take(3, sink).readUIntLE(0, 3);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    // A block of type 1 repeats one byte.
    queue.pass(type === 1 ? 1 : header >> 3, sink);
  }
  return (descriptor & 4) === 0 ? undefined : queue.take(4, sink).readUInt32LE();
}

/**
 * Decompresses `chunks` and passes the content to `write`.
 *
 * @throws {ZstdError} if the data is truncated or damaged
 */
export async function decompressZstd(chunks: Iterable<Buffer>, write: Sink): Promise<void> {
  const { create64 } = await xxhash();
  const queue = new ByteQueue(chunks);
  while (!queue.isEmpty()) {
    const start = queue.take(4);
    const magic = start.readUInt32LE();
    if (magic >= SKIPPABLE && magic < SKIPPABLE + 16) {
      queue.pass(queue.take(4).readUInt32LE(), () => {});
      continue;
    }
    if (magic !== FRAME) throw new ZstdError("it continues with other data");
    const hash = create64();
    const decoder = new Decompress((bytes) => {
      hash.update(bytes);
      write(bytes);
    });
    const checksum = decoding(() => {
      decoder.push(start);
      const expected = passFrame(queue, (bytes) => decoder.push(bytes));
      decoder.push(NOTHING, true);
      return expected;
    });
    if (checksum !== undefined && Number(hash.digest() & 0xffffffffn) !== checksum) {
      throw new ZstdError("its checksum is wrong");
    }
  }
}

/** Runs `decode`. The decoder's own errors have a numeric code. */
function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    const isDecoders = error instanceof RangeError || error instanceof TypeError ||
      typeof (error as { code?: unknown }).code === "number";
    throw isDecoders ? new ZstdError((error as Error).message) : error;
  }
}
