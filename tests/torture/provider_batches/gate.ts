/**
 * A gate between a client and the mock: forwards requests, and tells what each one is for and how far it got.
 *
 * Its address stays the same while the mock behind it is killed and started again.
 */
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What a request does in the life of a job. */
export type Step =
  | "upload"
  | "create"
  | "fill"
  | "list"
  | "poll"
  | "download"
  | "cancel"
  | "clean"
  | "other";

/** How far a request got: it has arrived, the mock has answered, or the client has the answer. */
export type Moment = "arrives" | "committed" | "answered";

/** The first pattern that matches `METHOD /path` names the step. */
const STEPS: readonly [pattern: RegExp, step: Step][] = [
  [/^DELETE /, "clean"],
  [/cancel$/, "cancel"],
  [/^POST .*\/requests$/, "fill"],
  [/^POST .*(\/batches|\/batch\/jobs|:batchGenerateContent|\/batchInferenceJobs)$/, "create"],
  [/^(POST|PUT) .*(\/files|\/upload|:upload|\/datasets|__mock\/)/, "upload"],
  [/^GET .*(\/content|\/results|:download|:getDownloadEndpoint|\/signed\/.*)$/, "download"],
  [/^GET .*(\/batches|\/batch\/jobs|\/batchInferenceJobs)$/, "list"],
  [/^GET .*(\/batches|\/batch\/jobs|\/batchInferenceJobs)\/[^/]+$/, "poll"],
];

function stepOf({ method, url = "" }: IncomingMessage): Step {
  const line = `${method} ${url.replace(/\?.*/, "")}`;
  return STEPS.find(([pattern]) => pattern.test(line))?.[1] ?? "other";
}

/** Forwards requests to the mock. */
export class Gate implements AsyncDisposable {
  readonly #server: Server;
  /** The port of the mock; without one, connections break. */
  target: number | undefined;
  /** Called at every moment of every request, which goes on once it resolves. */
  onMoment: (step: Step, moment: Moment) => void | Promise<void> = () => {};

  private constructor() {
    this.#server = createServer((req, res) => {
      this.#forward(req, res).catch(() => res.destroy());
    });
  }

  static async open(): Promise<Gate> {
    const gate = new Gate();
    await new Promise<void>((resolve) => gate.#server.listen(0, "127.0.0.1", resolve));
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #forward(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const step = stepOf(req);
    req.on("error", () => {});
    res.on("error", () => {});
    await this.onMoment(step, "arrives");
    if (this.target === undefined) return void res.destroy();
    const forwarded = request({
      host: "127.0.0.1",
      port: this.target,
      method: req.method,
      path: req.url,
      headers: req.headers,
      agent: false,
    });
    // A request that the client has sent completely reaches the mock, whatever becomes of the client.
    req.on("close", () => req.complete || forwarded.destroy());
    forwarded.on("error", () => res.destroy());
    forwarded.on("response", async (answer) => {
      answer.on("error", () => res.destroy());
      answer.on("aborted", () => res.destroy());
      await this.onMoment(step, "committed");
      if (res.destroyed) return void answer.resume();
      res.writeHead(answer.statusCode!, answer.headers);
      res.on("finish", () => void this.onMoment(step, "answered"));
      answer.pipe(res);
    });
    req.pipe(forwarded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
