/** A TCP proxy that makes the network in front of a server fail: slow, partitioned, one-way, cut in the middle. */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** What a client sends, or what the server sends back. */
export type Direction = "requests" | "replies";

/** One direction of one connection. */
class Flow {
  readonly #proxy: TcpProxy;
  readonly #to: Socket;
  readonly #held: Buffer[] = [];
  readonly #travelling: Buffer[] = [];
  /** When the last chunk arrives: later ones do not overtake it. */
  #arrival = 0;
  /** Whether bytes vanish, like those of a connection that a router has forgotten. */
  isLost = false;
  /** The bytes after which the connection is cut. */
  bytesLeft = Infinity;

  constructor(proxy: TcpProxy, to: Socket) {
    this.#proxy = proxy;
    this.#to = to;
  }

  send(chunk: Buffer): void {
    const now = performance.now();
    const { latency, bytesPerSecond } = this.#proxy;
    this.#arrival = Math.max(this.#arrival, now + latency) + 1000 * chunk.length / bytesPerSecond;
    if (this.#arrival <= now) return this.#arrive(chunk);
    this.#travelling.push(chunk);
    // Timers are not exact: whichever ends first delivers the oldest chunk.
    setTimeout(() => this.#arrive(this.#travelling.shift()!), this.#arrival - now);
  }

  /** Delivers what was held during a partition: TCP sends it again. */
  resume(): void {
    for (const chunk of this.#held.splice(0)) this.#arrive(chunk);
  }

  #arrive(chunk: Buffer): void {
    if (this.isLost || this.#to.destroyed) return;
    if (this.#proxy.isPartitioned) return void this.#held.push(chunk);
    if (chunk.length < this.bytesLeft) {
      this.bytesLeft -= chunk.length;
      return void this.#to.write(chunk);
    }
    this.#to.write(chunk.subarray(0, this.bytesLeft), () => this.#to.destroy());
    this.isLost = true;
  }
}

interface Connection {
  client: Socket;
  server: Socket;
  requests: Flow;
  replies: Flow;
}

/** A proxy for one client, or for several that fail together. */
export class TcpProxy implements AsyncDisposable {
  /** Milliseconds that each direction takes. */
  latency = 0;
  /** How fast each direction of each connection is. */
  bytesPerSecond = Infinity;
  readonly #target: number;
  readonly #host: string;
  readonly #connections = new Set<Connection>();
  #server: Server;
  #port = 0;
  #isPartitioned = false;

  private constructor(target: number, host: string) {
    this.#target = target;
    this.#host = host;
    this.#server = this.#create();
  }

  /** Starts a proxy of the server at `port` of this machine, which listens at `host`. */
  static async start(port: number, host = "127.0.0.1"): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, host);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** The address for a client of Redis. */
  get redisUrl(): string {
    return this.url("redis");
  }

  /** The address for other clients. */
  url(scheme: string, path = ""): string {
    return `${scheme}://${this.#host}:${this.#port}${path}`;
  }

  get isPartitioned(): boolean {
    return this.#isPartitioned;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Lets nothing pass, and says so to nobody, until `heal` is called. */
  partition(): void {
    this.#isPartitioned = true;
  }

  /** Ends the partition. What was sent meanwhile arrives now, as long as its connection is open. */
  heal(): void {
    this.#isPartitioned = false;
    for (const { client, server, requests, replies } of [...this.#connections]) {
      requests.resume();
      replies.resume();
      if (client.destroyed) server.destroy();
      if (server.destroyed) client.destroy();
    }
  }

  /** Makes the open connections half-open: bytes of these directions vanish for good. New connections work. */
  lose(...directions: Direction[]): void {
    for (const connection of this.#connections) {
      for (const direction of directions) connection[direction].isLost = true;
    }
  }

  /** Cuts every open connection in the middle of a reply, after `bytes` more bytes. */
  cutReplies(bytes: number): void {
    for (const { replies } of this.#connections) replies.bytesLeft = bytes;
  }

  /** Closes all connections. */
  cut(): void {
    for (const { client, server } of [...this.#connections]) {
      client.destroy();
      server.destroy();
    }
  }

  /** Closes all connections and refuses new ones, until `accept` is called. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Accepts connections; after `refuse`, at the same port. */
  async accept(): Promise<void> {
    this.#server = this.#create();
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #create(): Server {
    return createServer({ noDelay: true }, (client) => {
      const server = connect({ port: this.#target, host: "127.0.0.1", noDelay: true });
      const connection = {
        client,
        server,
        requests: new Flow(this, server),
        replies: new Flow(this, client),
      };
      this.#connections.add(connection);
      client.on("data", (chunk: Buffer) => connection.requests.send(chunk));
      server.on("data", (chunk: Buffer) => connection.replies.send(chunk));
      for (const [one, other] of [[client, server], [server, client]]) {
        one.on("error", () => {});
        one.on("close", () => {
          if (other.destroyed) return void this.#connections.delete(connection);
          // During a partition, the other side does not learn about it.
          if (!this.#isPartitioned) setTimeout(() => other.destroy(), this.latency);
        });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isPartitioned = false;
    if (this.#server.listening) await this.refuse();
  }
}
