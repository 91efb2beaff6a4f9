/**
 * Stops a gateway: no new calls, and those in flight may finish within a time.
 *
 * @module
 */
import type { GatewayApp } from "../../lib/gateway/gateway_app.ts";
import type { HttpServer } from "../../lib/runtime/http_server.ts";
import { type Clock, systemClock } from "../../lib/runtime/clock.ts";
import { EXIT } from "../exit_codes.ts";
import { counted, duration } from "../terminal/format.ts";
import { writeSentences } from "../terminal/sentences.ts";

/** Seconds in which the last bytes reach the clients. */
const DELIVERY = 2;

/** The signals that have asked the gateway to stop. */
export class StopRequests {
  /** Resolves on the first request to stop: drain. */
  readonly first: Promise<void>;
  /** Resolves on the second one: end what is in flight. */
  readonly second: Promise<void>;
  readonly #resolve: (() => void)[] = [];

  constructor() {
    this.first = new Promise((resolve) => this.#resolve.push(resolve));
    this.second = new Promise((resolve) => this.#resolve.push(resolve));
  }

  /** Records the `count`th request. */
  request(count: number): void {
    this.#resolve[count - 1]?.();
  }
}

/** Options of {@link shutDown}. */
export interface ShutDownOptions {
  /** Seconds that calls in flight may take. */
  drain: number;
  /** @default the system's */
  clock?: Clock;
  /** Prints a note; by default on stderr. */
  note?: (text: string) => void;
}

/** Resolves after `promise` or `seconds`, whichever is first. */
async function within(promise: Promise<void>, seconds: number, clock: Clock): Promise<void> {
  const timer = new AbortController();
  const timedOut = clock.sleep(seconds * 1000, timer.signal).catch(() => {});
  await Promise.race([promise.catch(() => {}), timedOut]);
  timer.abort();
}

/**
 * Drains the gateway and closes its server.
 *
 * @returns the exit code: 0 if every call has ended by itself
 */
export async function shutDown(
  app: Pick<GatewayApp, "drain" | "close" | "inFlight">,
  server: Pick<HttpServer, "stop" | "close">,
  stops: Pick<StopRequests, "second">,
  { drain, clock = systemClock, note = writeSentences }: ShutDownOptions,
): Promise<number> {
  let end: "drained" | "cut" | "late" = "late";
  const { inFlight } = app;
  const drained = app.drain().then(() => end = "drained");
  if (inFlight > 0) {
    note(
      `Stopping: waiting up to ${duration(drain)} for ${counted(inFlight, "request")} in flight; ` +
        "press Ctrl-C again to end them.",
    );
  }
  const cut = stops.second.then(() => {
    if (end === "late") end = "cut";
  });
  await within(Promise.race([drained.then(() => {}), cut]), drain, clock);
  const outcome = end as "drained" | "cut" | "late";
  if (outcome === "late") {
    note(`Ended ${counted(app.inFlight, "request")} that took longer than ${duration(drain)}.`);
  } else if (outcome === "cut") note(`Ended ${counted(app.inFlight, "request")} in flight.`);
  await within(app.close(), DELIVERY, clock);
  await within(server.stop(), DELIVERY, clock);
  await within(server.close(), DELIVERY, clock);
  if (outcome === "drained") return EXIT.ok;
  return outcome === "cut" ? EXIT.interrupted : EXIT.failed;
}
