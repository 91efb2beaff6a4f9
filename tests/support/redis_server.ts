/** Starts a real Redis (or Valkey) server on a free port, and makes it fail: freeze, die, come back empty. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseRedisAddress, type RedisAddress } from "../../lib/redis/redis_address.ts";

/** The server program; `undefined` if none is installed. */
export const redisServer: string | undefined = ["redis-server", "valkey-server"].find((name) =>
  spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0
);

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A server of its own for one test. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts a server; `options` are lines of its configuration, such as `--requirepass secret`. */
  static async start(...options: string[]): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "flexllm-redis-"));
    const server = new RedisServer(await freePort(), folder, options);
    await server.restart();
    return server;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Its address, with a prefix of keys. */
  address(prefix?: string): RedisAddress {
    return parseRedisAddress(this.url, "test", prefix);
  }

  /** Starts the server again. It has the data of its last `SAVE`, or all with `--appendonly yes`; if `isEmpty`, none. */
  async restart(isEmpty = false): Promise<void> {
    if (isEmpty) {
      for (const data of ["appendonlydir", "dump.rdb"]) {
        rmSync(join(this.#folder, data), { recursive: true, force: true });
      }
    }
    const child = spawn(redisServer!, [
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder],
      ...["--save", "", "--appendfsync", "always"],
      ...this.#options,
    ], { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = child;
    let output = "";
    for await (const chunk of child.stdout!) {
      output += chunk;
      if (/ready to accept connections/i.test(output)) break;
    }
    if (child.exitCode !== null || !/ready to accept/i.test(output)) {
      throw new Error(`the Redis server has ended: ${output}`);
    }
  }

  /** Kills the server; its clients notice at once. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, "exit");
    process.kill(child.pid!, "SIGKILL");
    await exit;
  }

  /** Stops the server without closing its connections: clients wait. */
  freeze(): void {
    process.kill(this.#process!.pid!, "SIGSTOP");
  }

  /** Lets a frozen server go on. */
  thaw(): void {
    process.kill(this.#process!.pid!, "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
