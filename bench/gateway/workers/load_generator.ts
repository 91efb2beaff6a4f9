/**
 * Sends requests to servers in turn, for several rounds, and prints the figure of each server in each round as
 * JSON. Runs on Bun.
 *
 * Argument: a {@link LoadPlan} as JSON.
 */
import process from "node:process";
import {
  ClientConnection,
  type RequestKind,
  requestText,
  type Target,
} from "./client_connection.ts";

/** What to send. */
export interface LoadPlan {
  /**
   * `answer`: the median time of an answer, in ms. `first token`: the median time to the first token, in ms.
   * `throughput`: answers per second. `requests`: the same for a number of requests. `abandon`: streams per second
   * that the client leaves after the first token.
   */
  measure: "answer" | "first token" | "throughput" | "requests" | "abandon";
  targets: Target[];
  rounds: number;
  /** Requests per server and round; for `throughput`, seconds. */
  amount: number;
  /** Seconds of load on each server before the first round, until the runtime has compiled its code. */
  warmup: number;
  /** Tokens of a streamed answer. */
  tokens?: number;
}

/** The figure of each round, by the name of the server. */
export type LoadResult = Record<string, number[]>;

/** Requests at once under load. */
const CONCURRENCY = 64;

const plan = JSON.parse(process.argv[2]) as LoadPlan;
const kind: RequestKind = {
  stream: plan.measure === "first token" || plan.measure === "abandon",
  tokens: plan.tokens,
};

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** The time of one request in ms. */
async function timeOf(connection: ClientConnection, target: Target): Promise<number> {
  const text = requestText(target, kind);
  const start = performance.now();
  let end: number | undefined;
  connection.onData = kind.stream
    ? (part) => {
      if (end === undefined && part.includes(" token")) end = performance.now();
    }
    : undefined;
  await connection.send(text);
  return (end ?? performance.now()) - start;
}

async function medianTime(target: Target, requests: number): Promise<number> {
  const connection = await ClientConnection.open(target);
  const times: number[] = [];
  for (let i = 0; i < requests; i++) times.push(await timeOf(connection, target));
  connection.leave();
  return median(times);
}

/** Runs `work` for each of the requests at once, until `isOver`. Returns how often per second it finished. */
async function rateOf(
  isOver: (started: number) => boolean,
  work: (worker: number) => Promise<void>,
): Promise<number> {
  const start = performance.now();
  let started = 0;
  let finished = 0;
  await Promise.all(Array.from({ length: CONCURRENCY }, async (_, worker) => {
    while (!isOver(started)) {
      started++;
      await work(worker);
      finished++;
    }
  }));
  return finished / (performance.now() - start) * 1000;
}

/** Sends requests at once; returns the answers per second. */
async function load(target: Target, isOver: (started: number) => boolean): Promise<number> {
  const opening = Array.from({ length: CONCURRENCY }, () => ClientConnection.open(target));
  const connections = await Promise.all(opening);
  const rate = await rateOf(
    isOver,
    (worker) => connections[worker].send(requestText(target, kind)),
  );
  for (const connection of connections) connection.leave();
  return rate;
}

function loadFor(target: Target, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  return load(target, () => performance.now() >= end);
}

/** Opens a stream and leaves at its first token. */
async function abandon(target: Target): Promise<void> {
  const connection = await ClientConnection.open(target);
  await new Promise<void>((resolve, reject) => {
    connection.onData = (part) => {
      if (part.includes(" token")) resolve();
    };
    connection.send(requestText(target, kind)).then(resolve, reject);
  });
  connection.leave();
}

function measure(target: Target, amount: number): Promise<number> {
  const isOver = (started: number) => started >= amount;
  switch (plan.measure) {
    case "throughput":
      return loadFor(target, amount);
    case "requests":
      return load(target, isOver);
    case "abandon":
      return rateOf(isOver, () => abandon(target));
    default:
      return medianTime(target, amount);
  }
}

const result: LoadResult = {};
for (const target of plan.targets) {
  result[target.name] = [];
  if (plan.warmup > 0) await loadFor(target, plan.warmup);
}
for (let round = 0; round < plan.rounds; round++) {
  for (const target of plan.targets) {
    result[target.name].push(await measure(target, plan.amount));
  }
}
process.stdout.write(JSON.stringify(result));
process.exit();
