/**
 * Receives the mock's resumable uploads: a file that arrives in chunks, each in a request of its own.
 *
 * Source: Gemini API, "Files", and the uploads of @google/genai.
 *
 * @module
 */
import type { FileRecord } from "./core.ts";

/** Starts to store the content of a file. */
export type StoreContent = (content: AsyncIterable<Uint8Array>) => Promise<FileRecord>;

/** One upload that has been started. */
export class ResumableUpload {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stored: Promise<FileRecord>;
  #received = 0;
  #file: FileRecord | undefined;

  constructor(store: StoreContent) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#writer = writable.getWriter();
    this.#stored = store(readable);
    // The request that waits for it reports the error; an abandoned upload has none.
    this.#stored.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  /** Bytes that have arrived: where the next chunk starts. */
  get received(): number {
    return this.#received;
  }

  /** The file, once the upload is complete. */
  get file(): FileRecord | undefined {
    return this.#file;
  }

  /** Receives a chunk. If it breaks off, what has arrived of it counts. */
  async receive(chunk: ReadableStream<Uint8Array> | null): Promise<void> {
    for await (const bytes of chunk ?? []) {
      // The bytes belong to the connection, which may use their memory again.
      await this.#writer.write(bytes.slice());
      this.#received += bytes.length;
    }
  }

  /** Completes the upload. */
  async finish(): Promise<FileRecord> {
    if (this.#file === undefined) {
      await this.#writer.close();
      this.#file = await this.#stored;
    }
    return this.#file;
  }

  /** Gives the upload up. */
  async cancel(): Promise<void> {
    await this.#writer.abort(new Error("the upload was cancelled")).catch(() => {});
  }
}
