/** A mock in a process of its own, which is killed, suspended and started again with the same state. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JobRecord } from "../../../lib/mock/batch/job.ts";
import type { Ledger } from "../../../lib/mock/batch/ledger.ts";
import type { Running } from "../../support/cli.ts";
import { jsonLines } from "../../support/temporary_folder.ts";
import { LONGEST, sleep } from "../running.ts";
import type { FastFlexllm } from "./fast_flexllm.ts";
import type { Gate } from "./gate.ts";

/** Virtual time from the creation of a job to its end. */
const DURATION = "12s";

export class MockProcess implements AsyncDisposable {
  readonly #flexllm: FastFlexllm;
  readonly #gate: Gate;
  readonly #state: string;
  #running: Running | undefined;

  constructor(flexllm: FastFlexllm, gate: Gate, state: string) {
    this.#flexllm = flexllm;
    this.#gate = gate;
    this.#state = state;
  }

  /** Starts it and opens the gate to it. */
  async start(): Promise<void> {
    const flags = ["-p", "0", "--state", this.#state, "--batch-duration", DURATION];
    const running = this.#running = this.#flexllm.start(["mock", ...flags, "--seed", "7"]);
    const end = Date.now() + LONGEST;
    let port: string | undefined;
    while (port === undefined) {
      port = /listening on http:\S+?:(\d+)\//.exec(running.stdout())?.[1];
      if (
        running.process.exitCode !== null || running.process.signalCode !== null || Date.now() > end
      ) {
        throw new Error(`the mock does not start: ${(await running.finished).stderr}`);
      }
      await sleep(5);
    }
    this.#gate.target = Number(port);
  }

  /** Kills it and closes the gate. */
  async kill(): Promise<void> {
    this.#gate.target = undefined;
    this.#running?.signal("SIGKILL");
    await this.#running?.finished;
  }

  /** Suspends it for some milliseconds. */
  async suspend(ms: number): Promise<void> {
    this.#running?.signal("SIGSTOP");
    await sleep(ms);
    this.#running?.signal("SIGCONT");
  }

  async #control(method: string, path: string, body?: unknown) {
    const response = await fetch(`http://127.0.0.1:${this.#gate.target}/__mock/batches${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return await response.json();
  }

  async setFaults(faults: readonly string[]): Promise<void> {
    await this.#control("PUT", "/faults", { faults });
  }

  async advance(seconds: number): Promise<void> {
    await this.#control("POST", "/clock", { advance: seconds });
  }

  /** All jobs, and all requests that were ever billed. */
  async ledger(): Promise<Ledger> {
    return await this.#control("GET", "?rows=all");
  }

  /** All jobs as the mock has stored them, with the faults that hit them. */
  jobs(): JobRecord[] {
    const jobs = new Map<string, JobRecord>();
    for (
      const { kind, id, value } of jsonLines(
        readFileSync(join(this.#state, "batches.jsonl"), "utf8"),
      )
    ) {
      if (kind === "job") jobs.set(id, value);
    }
    return [...jobs.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
