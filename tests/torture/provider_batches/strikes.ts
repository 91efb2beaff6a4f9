/** Strikes against the client or the mock: when they hit, whom, and how. */
import { existsSync, readFileSync } from "node:fs";
import type { PartEvent } from "../../../lib/batch/jobs/part_events.ts";
import type { Running } from "../../support/cli.ts";
import { sleep } from "../running.ts";
import type { Gate, Moment, Step } from "./gate.ts";
import type { MockProcess } from "./mock_process.ts";

/** The step of the state machine, or the request, at which a strike hits. */
export type When =
  | { at: "random"; ms: number }
  | { at: "event"; type: PartEvent["type"]; count: number }
  | { at: "request"; step: Step; moment: Moment; count: number };

export interface Strike {
  when: When;
  target: "client" | "mock" | "both";
  how: "SIGKILL" | "SIGINT" | "SIGSTOP";
  /** Milliseconds after the moment. */
  delay: number;
  /** Milliseconds until the mock is back, or the process continues. */
  pause: number;
}

const EVENTS: readonly PartEvent["type"][] = [
  "planned",
  "creating",
  "submitted",
  "status",
  "ended",
  "collected",
];
const MOMENTS: readonly Moment[] = ["arrives", "committed", "answered"];

export function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)];
}

function randomWhen(random: () => number, requests: readonly Step[]): When {
  const count = random() < 0.75 ? 1 : 2;
  const kind = random();
  if (kind < 0.12) return { at: "random", ms: random() * 1000 };
  if (kind < 0.4) return { at: "event", type: pick(random, EVENTS), count };
  return { at: "request", step: pick(random, requests), moment: pick(random, MOMENTS), count };
}

/** A strike at a random moment, often that of one of these requests. */
export function randomStrike(random: () => number, requests: readonly Step[]): Strike {
  const target = pick(random, ["client", "client", "client", "mock", "mock", "both"] as const);
  const how = target === "both"
    ? "SIGKILL"
    : target === "mock"
    ? pick(random, ["SIGKILL", "SIGKILL", "SIGSTOP"] as const)
    : pick(random, ["SIGKILL", "SIGKILL", "SIGKILL", "SIGINT", "SIGSTOP"] as const);
  return {
    when: randomWhen(random, requests),
    target,
    how,
    delay: random() < 0.6 ? 0 : random() * 40,
    pause: 20 + random() * 400,
  };
}

/** How reports count a strike: `create committed`, `event ended`. */
export function nameOf({ when }: Strike): string {
  if (when.at === "random") return "random";
  return when.at === "event" ? `event ${when.type}` : `${when.step} ${when.moment}`;
}

/** Waits for the moment of a strike and executes it. Ends when the client ends, in any case. */
export class ArmedStrike {
  #hasHit = false;
  #effects: Promise<void> = Promise.resolve();

  constructor(
    readonly strike: Strike,
    readonly parts: { running: Running; mock: MockProcess; gate: Gate; log: string },
  ) {
    const { when } = strike;
    const { gate, running } = parts;
    if (when.at === "request") {
      let count = 0;
      gate.onMoment = (step, moment) => {
        if (step !== when.step || moment !== when.moment || ++count !== when.count) return;
        return this.#hit();
      };
    } else {
      const end = when.at === "random" ? Date.now() + when.ms : Infinity;
      const before = this.#events();
      const timer = setInterval(() => {
        if (when.at === "event" ? this.#events() < before + when.count : Date.now() < end) return;
        clearInterval(timer);
        void this.#hit();
      }, 1);
      void running.finished.finally(() => clearInterval(timer));
    }
  }

  /** Whether it was executed while the client ran. */
  get hasHit(): boolean {
    return this.#hasHit;
  }

  #events(): number {
    const { strike: { when }, parts: { log } } = this;
    if (when.at !== "event" || !existsSync(log)) return 0;
    return readFileSync(log, "utf8").split(`"type":"${when.type}"`).length - 1;
  }

  /** Resolves once the request at whose moment it hits may go on. */
  #hit(): Promise<void> {
    const struck = this.#strike();
    this.#effects = struck.then((recover) => recover?.());
    // Who awaits `over` gets the error.
    this.#effects.catch(() => {});
    return struck.then(() => {}, () => {});
  }

  /** Executes it and returns what ends it. */
  async #strike(): Promise<(() => Promise<void>) | undefined> {
    const { strike: { target, how, delay, pause }, parts: { running, mock } } = this;
    if (delay > 0) await sleep(delay);
    const { exitCode, signalCode } = running.process;
    if (exitCode !== null || signalCode !== null) return undefined;
    this.#hasHit = true;
    if (target !== "mock") {
      running.signal(how);
      if (how === "SIGKILL") await running.finished;
    }
    if (how === "SIGSTOP") {
      if (target === "mock") return () => mock.suspend(pause);
      return () => sleep(pause).then(() => running.signal("SIGCONT"));
    }
    if (target === "client") return undefined;
    await mock.kill();
    return () => sleep(pause).then(() => mock.start());
  }

  /** Waits until the mock is back and all processes go on. */
  async over(): Promise<void> {
    this.parts.gate.onMoment = () => {};
    await this.#effects;
  }
}
