/**
 * A server with seeded random faults: resets, truncated bodies, errors, web pages or no response. For each
 * prompt it counts how many good answers it has sent, which is what the user pays for.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { seededRandom } from "../../lib/runtime/random.ts";
import { completion } from "../support/raw_server.ts";

/** The text of the good answer to `question`, which no other prompt has. */
export function answerTo(question: string): string {
  return `${createHash("sha256").update(question).digest("hex")} ${question.slice(0, 40)}`;
}

const ERROR = JSON.stringify({ error: { message: "injected fault", type: "server_error" } });

type Trouble = (response: ServerResponse, good: string, random: () => number) => void;

function status(code: number, headers: Record<string, string> = {}): Trouble {
  return (response) => response.writeHead(code, headers).end(ERROR);
}

/** The real time of day, as one scenario changes the clock of its process. */
const { now } = Date;

const JSON_TYPE = { "content-type": "application/json" };

/** Faults that a retry can overcome. */
const PASSING: Trouble[] = [
  (response) => response.socket!.resetAndDestroy(),
  (response, good) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": String(good.length) });
    response.write(good.slice(0, good.length / 2), () => response.socket!.resetAndDestroy());
  },
  (response, good) => response.writeHead(200, JSON_TYPE).end(good.slice(0, good.length / 2)),
  (response) => response.writeHead(200, JSON_TYPE).end(),
  (response) => response.writeHead(200, JSON_TYPE).end("\u0000\u0001garbage{{{"),
  (response) => response.writeHead(200, JSON_TYPE).end(ERROR),
  status(500),
  status(503),
  status(529),
  status(429, { "retry-after-ms": "20" }),
  status(429, { "retry-after": "0" }),
  (response) =>
    response.writeHead(429, { "retry-after": new Date(now()).toUTCString() }).end(ERROR),
];

/** Responses that suggest a wrong URL, unless the process has received good answers before. */
const PAGES: Trouble[] = [
  (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Sorry!</html>"),
  (response) => response.writeHead(200, JSON_TYPE).end('{"some":"thing else"}'),
];
/** Good answers before the first such page, so that the process has certainly read one. */
const PROOF = 100;

/** Faults that fail a record, since a retry would not help. */
const LASTING: Trouble[] = [status(400), status(422)];

export interface HostileOptions {
  seed: number;
  /** The probability of a fault. Default: 0.3. */
  chance?: number;
  /** Whether records can fail permanently. Default: false. */
  lasting?: boolean;
  /** Whether web pages are sent after some good answers; for a single process only. Default: false. */
  pages?: boolean;
  /** Maximum latency in milliseconds. Default: 10. */
  delay?: number;
}

export class HostileServer implements AsyncDisposable {
  readonly #options: HostileOptions;
  readonly #random: () => number;
  readonly #troubles: Trouble[];
  #server: Server;
  #port = 0;
  #retryAfter: string | undefined;
  requests = 0;
  /** The number of good answers by prompt. */
  readonly paid = new Map<string, number>();
  /** The time of each request, in milliseconds. */
  readonly times: number[] = [];

  private constructor(options: HostileOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#troubles = options.lasting ? [...PASSING, ...LASTING] : PASSING;
    this.#server = this.#create();
  }

  static async start(options: HostileOptions): Promise<HostileServer> {
    const server = new HostileServer(options);
    await server.open();
    return server;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** Starts listening; after a restart, on the same port as before. */
  async open(): Promise<void> {
    this.#server = this.#create();
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Closes all connections and refuses new ones. */
  async die(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Responds to all requests with 429 and this `Retry-After`, until called with `undefined`. */
  refuseFor(retryAfter: string | undefined): void {
    this.#retryAfter = retryAfter;
  }

  #create(): Server {
    return createServer((request, response) => {
      response.on("error", () => {});
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    this.times.push(performance.now());
    const { messages } = JSON.parse(await text(request));
    const question = messages.at(-1).content;
    const { delay = 10, chance = 0.3 } = this.#options;
    await new Promise((resolve) => setTimeout(resolve, this.#random() * delay));
    if (this.#retryAfter !== undefined) {
      return status(429, { "retry-after": this.#retryAfter })(response, "", this.#random);
    }
    const good = completion(answerTo(question));
    if (this.#random() < chance) {
      const isKnown = this.#options.pages === true && this.paid.size > PROOF;
      const troubles = isKnown ? [...this.#troubles, ...PAGES] : this.#troubles;
      const trouble = troubles[Math.floor(this.#random() * troubles.length)];
      return trouble(response, good, this.#random);
    }
    if (response.destroyed) return;
    this.paid.set(question, (this.paid.get(question) ?? 0) + 1);
    response.writeHead(200, JSON_TYPE).end(good);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
  }
}
