/**
 * An HTTP client for one request at a time on one connection, with as little work as possible.
 */
import { Buffer } from "node:buffer";
import { Bun, type BunSocket } from "./bun_sockets.ts";

/** Where requests go, and what they carry. */
export interface Target {
  name: string;
  /** The base URL, which ends with `/v1`. */
  baseUrl: string;
  headers: Record<string, string>;
}

/** How a request is sent. */
export interface RequestKind {
  stream: boolean;
  /** Tokens of a streamed answer. */
  tokens?: number;
}

const END_OF_CHUNKS = "\r\n0\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** Tells the prompts of different processes apart: the response cache outlives them. */
const PROCESS = crypto.randomUUID();
let requests = 0;

/** A request whose prompt no other request has, so that no cache answers it. */
export function requestText(target: Target, { stream, tokens = 50 }: RequestKind): string {
  const { host, pathname } = new URL(target.baseUrl);
  const number = String(requests++).padStart(9, "0");
  const body = JSON.stringify({
    model: "bench",
    messages: [{ role: "user", content: `Question ${PROCESS} ${number}: what is the answer?` }],
    max_tokens: tokens,
    ...stream ? { stream } : {},
  });
  const fields = Object.entries({
    host,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...target.headers,
  });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `POST ${pathname}/chat/completions HTTP/1.1\r\n${head}\r\n${body}`;
}

/** A connection to a server. */
export class ClientConnection {
  /** Called with each part of an answer. */
  onData: ((text: string) => void) | undefined;
  #socket: BunSocket<ClientConnection> | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #text = "";
  /** The length of head and body; `Infinity` for chunks, `undefined` before the end of the head. */
  #length: number | undefined;

  /** Connects to a server. */
  static async open({ baseUrl }: Target): Promise<ClientConnection> {
    const { hostname, port } = new URL(baseUrl);
    const connection = new ClientConnection();
    connection.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      data: connection,
      socket: {
        data: ({ data }, bytes) => data.#received(bytes),
        close: ({ data }) => data.#reject?.(new Error("the server closed the connection")),
        error: ({ data }, error) => data.#reject?.(error),
      },
    });
    return connection;
  }

  /** Sends a request; resolves when the answer is complete. */
  send(request: string): Promise<void> {
    this.#text = "";
    this.#length = undefined;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#socket!.write(request) < request.length) reject(new Error("the socket is full"));
    });
  }

  /** Leaves, without waiting for an answer. */
  leave(): void {
    this.#reject = undefined;
    this.#socket!.terminate();
  }

  #received(bytes: Uint8Array): void {
    const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    this.onData?.(part);
    // Of chunks, only the end matters.
    this.#text = this.#length === Infinity ? this.#text.slice(-7) + part : this.#text + part;
    if (this.#length === undefined) this.#readHead();
    const isComplete = this.#length === Infinity
      ? this.#text.endsWith(END_OF_CHUNKS)
      : this.#length !== undefined && this.#text.length >= this.#length;
    if (isComplete) this.#resolve?.();
  }

  #readHead(): void {
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return;
    if (!this.#text.startsWith("HTTP/1.1 200")) this.#reject?.(new Error(this.#text));
    const [, length] = CONTENT_LENGTH.exec(this.#text.slice(0, end)) ?? [];
    this.#length = length === undefined ? Infinity : end + 4 + Number(length);
  }
}
