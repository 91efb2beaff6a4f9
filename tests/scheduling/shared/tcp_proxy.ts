/** A TCP proxy before a server, which can cut its clients off: bytes are held back until they are joined again. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { parseRedisAddress, type RedisAddress } from "../../../lib/redis/redis_address.ts";

/** Passes bytes on between clients and one server, after a delay. */
export class TcpProxy implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #isCut = false;

  private constructor(readonly server: Server, readonly port: number, readonly delay: number) {}

  /** @param delay milliseconds in each direction */
  static async start(target: number, delay = 0): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const proxy = new TcpProxy(server, port, delay);
    server.on("connection", (client: Socket) => {
      const upstream = connect(target, "127.0.0.1");
      proxy.#pipe(client, upstream);
      proxy.#pipe(upstream, client);
    });
    return proxy;
  }

  address(): RedisAddress {
    return parseRedisAddress(`redis://127.0.0.1:${this.port}`, "test");
  }

  /** Holds all bytes back. */
  cut(): void {
    this.#isCut = true;
  }

  /** Passes on what was held back, and everything from now on. */
  join(): void {
    this.#isCut = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => {});
    const pass = (action: () => void) => {
      if (this.#isCut) this.#held.push(action);
      else if (this.delay > 0) setTimeout(action, this.delay);
      else action();
    };
    from.on("data", (bytes) => pass(() => to.writable && to.write(bytes)));
    from.on("close", () => {
      this.#sockets.delete(from);
      pass(() => to.destroy());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.length = 0;
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await Promise.resolve();
  }
}
