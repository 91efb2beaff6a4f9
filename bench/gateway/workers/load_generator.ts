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
   * `throughput`: answers per second. `abandon`: streams per second that the client leaves after the first token.
   */
  measure: "answer" | "first token" | "throughput" | "abandon";
  targets: Target[];
  rounds: number;
  /** Requests per server and round; for `throughput`, seconds. */
  amount: number;
  /** Requests before the first round, per server. */
  warmup: number;
  concurrency: number;
  /** Tokens of a streamed answer. */
  tokens?: number;
}

/** The figure of each round, by the name of the server. */
export type LoadResult = Record<string, number[]>;

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

/** Runs `work` as often at once as the plan says, until `isOver`. Returns how often per second it finished. */
async function rateOf(
  isOver: (started: number) => boolean,
  worker: () => Promise<() => Promise<void>>,
): Promise<number> {
  const work = await Promise.all(Array.from({ length: plan.concurrency }, worker));
  const start = performance.now();
  let started = 0;
  let finished = 0;
  await Promise.all(work.map(async (each) => {
    while (!isOver(started)) {
      started++;
      await each();
      finished++;
    }
  }));
  return finished / (performance.now() - start) * 1000;
}

async function throughput(target: Target, isOver: (started: number) => boolean): Promise<number> {
  const connections: ClientConnection[] = [];
  const rate = await rateOf(isOver, async () => {
    const connection = await ClientConnection.open(target);
    connections.push(connection);
    return () => connection.send(requestText(target, kind));
  });
  for (const connection of connections) connection.leave();
  return rate;
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
  if (plan.measure === "abandon") {
    return rateOf((started) => started >= amount, () => Promise.resolve(() => abandon(target)));
  }
  if (plan.measure !== "throughput") return medianTime(target, amount);
  const end = performance.now() + amount * 1000;
  return throughput(target, () => performance.now() >= end);
}

async function warmUp(target: Target): Promise<void> {
  if (plan.warmup === 0) return;
  if (plan.measure === "throughput") {
    await throughput(target, (started) => started >= plan.warmup);
  } else {
    await measure(target, plan.warmup);
  }
}

const result: LoadResult = {};
for (const target of plan.targets) {
  result[target.name] = [];
  await warmUp(target);
}
for (let round = 0; round < plan.rounds; round++) {
  for (const target of plan.targets) {
    result[target.name].push(await measure(target, plan.amount));
  }
}
process.stdout.write(JSON.stringify(result));
process.exit();
