/**
 * Sends a streamed answer to a client: holds the headers until there is something to send, keeps silent
 * streams alive, and notices when the client leaves or reads slowly.
 *
 * @module
 */
import type { Cancellable } from "../transport/cancellation.ts";
import { type Deadline, deadlinesOf, type Expiring } from "../transport/deadlines.ts";

const ENCODER = new TextEncoder();

/** How a silent stream is kept alive, in one format. */
export interface KeepAlive {
  /** Before the first event of the answer. */
  readonly before: string;
  /** Between its events; `undefined` if the format allows nothing there. */
  readonly between: string | undefined;
}

/** What a {@link ClientStream} needs from its call. */
export interface ClientStreamOptions {
  /** Seconds of silence after which the stream is kept alive. */
  interval: number;
  keepAlive: KeepAlive;
  /** Creates the response when its headers have to be sent. */
  respond(body: ReadableStream<Uint8Array>): Response;
  /** Called when the client leaves. */
  onLeave(): void;
}

const LF = 10;
const CR = 13;

/** Whether `bytes` end an event, so that a comment can follow. */
function endsEvent(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (bytes[length - 1] !== LF) return false;
  return bytes[length - 2] === LF || (bytes[length - 2] === CR && bytes[length - 3] === LF);
}

/** Bytes that may wait for the client. */
const HIGH_WATER_MARK = 32 * 1024;

/** A streamed answer on its way to the client. */
export class ClientStream implements Expiring, Cancellable {
  readonly #options: ClientStreamOptions;
  readonly #silence: Deadline;
  readonly #response = Promise.withResolvers<Response>();
  /** What a stream that fails in the middle of its answer ends with, instead of an error event of the gateway. */
  lastBytes: Uint8Array | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOver = false;
  #hasWritten = false;
  #isBetweenEvents = true;
  /** Ends the wait for a slow reader. */
  #onPull: (() => void) | undefined;

  constructor(options: ClientStreamOptions) {
    this.#options = options;
    this.#silence = deadlinesOf(options.interval).add(this);
  }

  /** The response; resolves when its headers can be sent, rejects if the call fails before that. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** Whether the headers were sent. */
  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  /** Sends the headers. */
  open(): void {
    if (this.#controller !== undefined || this.#isOver) return;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pulled(),
      cancel: () => this.#left(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }));
    this.#response.resolve(this.#options.respond(body));
  }

  /**
   * Sends a chunk. Returns a promise if the client reads more slowly than chunks arrive, which resolves when
   * it has caught up, or has left.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    this.open();
    this.#hasWritten = true;
    this.#isBetweenEvents = endsEvent(bytes);
    this.#silence.restart();
    return this.#enqueue(bytes);
  }

  /** Ends the stream after a complete answer. */
  close(): void {
    if (this.#isOver) return;
    this.open();
    this.#end();
    this.#finish();
  }

  /**
   * Ends the stream because of an error. Before the headers were sent, {@link ClientStream.response} rejects
   * with it; afterwards {@link ClientStream.lastBytes} or `event` report it to the client.
   */
  fail(error: unknown, event: () => Uint8Array): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#controller === undefined) return this.#response.reject(error);
    this.#finish(this.lastBytes ?? event());
  }

  /** Sends a sign of life: the stream has been silent. */
  expire(): void {
    if (this.#isOver) return;
    this.#silence.restart();
    const { before, between } = this.#options.keepAlive;
    const text = this.#hasWritten ? between : before;
    // A client that does not read needs no sign of life, and a comment inside an event would damage it.
    if (text === undefined || !this.#isBetweenEvents || this.#onPull !== undefined) return;
    this.open();
    this.#controller!.enqueue(ENCODER.encode(text));
  }

  /** Ends the wait for the client: the call has been aborted. */
  cancel(): void {
    this.#pulled();
  }

  #enqueue(bytes: Uint8Array): Promise<void> | undefined {
    const controller = this.#controller!;
    controller.enqueue(bytes);
    // A runtime may write the chunk at once, and find out that the client has left: nobody will pull again.
    if (this.#isOver) return undefined;
    if (controller.desiredSize === null || controller.desiredSize > 0) return undefined;
    return new Promise((resolve) => this.#onPull = resolve);
  }

  /** Closes the stream after the last bytes. */
  #finish(bytes?: Uint8Array): void {
    try {
      if (bytes !== undefined && bytes.length > 0) this.#controller!.enqueue(bytes);
      this.#controller!.close();
    } catch {
      // The client has left, perhaps just now, and the runtime has closed the stream.
    }
  }

  #pulled(): void {
    const resume = this.#onPull;
    this.#onPull = undefined;
    resume?.();
  }

  #left(): void {
    this.#end();
    this.#options.onLeave();
  }

  #end(): void {
    this.#isOver = true;
    this.#silence.remove();
    this.#pulled();
  }
}
