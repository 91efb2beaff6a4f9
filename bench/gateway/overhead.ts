/**
 * Measures what a gateway adds to the time of an answer and of a stream's first token, and how many requests a
 * second it passes on.
 */
import type { Measurement, Target as Limit } from "../measurement.ts";
import { median, type Server, startBenchServer } from "../runtimes.ts";
import { type Contender, direct, startContenders } from "./contenders.ts";
import { sendLoad } from "./load.ts";
import type { LoadPlan, LoadResult } from "./workers/load_generator.ts";

/** How to measure. */
export interface GatewayBenchOptions {
  rounds: number;
  /** Divides the number of requests; 1 for figures to publish. */
  divisor: number;
  /** A folder with Portkey's gateway; `undefined` installs it, `false` leaves it out. */
  portkey: string | false | undefined;
  note: (line: string) => void;
}

const ANSWER_LIMITS: Record<string, number> = { bun: 1.0, deno: 1.5 };
const FIRST_TOKEN_LIMIT = 1;
const BARE_RATIO = 0.6;
const PORTKEY_RATIOS: Record<string, number> = { bun: 8, deno: 6 };
/** The requests at once of the load generator. */
const CONCURRENCY = 64;
/** Seconds of a round under load. */
const SECONDS = 3;
/** Seconds of load before each measurement. */
const WARMUP = 4;
/** Seconds of load at the start: the runtimes need tens of thousands of requests to compile everything. */
const FIRST_WARMUP = 25;
/** Characters of an answer. */
const CHARACTERS = 400;

/** The median, over all rounds, of the difference to another server in the same round. */
function added(figures: readonly number[], base: readonly number[]): number {
  return median(figures.map((figure, round) => figure - base[round]));
}

function isGateway({ target }: Contender): boolean {
  return target.name.startsWith("flexllm");
}

/** The rows of a measurement of times. */
function timeRows(
  result: LoadResult,
  contenders: readonly Contender[],
  of: { section: string; setting: string },
  limitOf: (runtime: string) => number,
): Measurement[] {
  const base = result.direct;
  const rows: Measurement[] = [
    { ...of, runtime: "", what: "direct", value: median(base), unit: "ms" },
  ];
  for (const contender of contenders) {
    const { target: { name }, runtime } = contender;
    const target: Limit | undefined = isGateway(contender)
      ? { kind: "at most", limit: limitOf(runtime) }
      : undefined;
    const value = added(result[name], base);
    rows.push({ ...of, runtime, what: `${name} adds`, value, unit: "ms", target });
  }
  return rows;
}

/** Runs a plan against the upstream server itself and all contenders. */
function measureAll(
  upstream: Server,
  contenders: readonly Contender[],
  plan: Omit<LoadPlan, "targets">,
): LoadResult {
  return sendLoad({ ...plan, targets: [direct(upstream), ...contenders.map((one) => one.target)] });
}

function throughputRows(result: LoadResult, contenders: readonly Contender[]): Measurement[] {
  const of = { section: "Gateway: requests per second", setting: `${CONCURRENCY} at once, 0 ms` };
  const rows: Measurement[] = [
    { ...of, runtime: "", what: "direct", value: median(result.direct), unit: "/s" },
  ];
  for (const contender of contenders) {
    const { target: { name }, runtime } = contender;
    const value = median(result[name]);
    const row: Measurement = { ...of, runtime, what: name, value, unit: "/s" };
    if (isGateway(contender)) {
      row.ratio = value / median(result[`bare proxy on ${runtime}`]);
      row.target = { kind: "at least", limit: BARE_RATIO };
    }
    rows.push(row);
  }
  if (result.Portkey === undefined) return rows;
  for (const { target: { name }, runtime } of contenders.filter(isGateway)) {
    const target: Limit = { kind: "at least", limit: PORTKEY_RATIOS[runtime] };
    const value = median(result[name]) / median(result.Portkey);
    rows.push({ ...of, runtime, what: `${name} vs. Portkey`, value, unit: "×", target });
  }
  return rows;
}

/** Measures all figures of gateways in front of an upstream server that takes `latency` ms. */
async function measureBehind(
  latency: number,
  { rounds, divisor, portkey, note }: GatewayBenchOptions,
): Promise<Measurement[]> {
  const upstream = await startBenchServer(CHARACTERS, latency);
  const contenders = await startContenders(upstream, portkey);
  const plan = { rounds, amount: (latency === 0 ? 1000 : 30) / divisor, warmup: WARMUP / divisor };
  const setting = `one at a time, ${latency} ms`;
  try {
    note(`${setting}: warm-up`);
    const start = { rounds: 1, amount: 0.1, warmup: FIRST_WARMUP / divisor };
    measureAll(upstream, contenders, { ...start, measure: "throughput" });
    note(`${setting}: answers`);
    const answers = measureAll(upstream, contenders, { ...plan, measure: "answer" });
    const answerOf = { section: "Gateway: added to the time of an answer", setting };
    const rows = timeRows(answers, contenders, answerOf, (runtime) => ANSWER_LIMITS[runtime]);
    note(`${setting}: first tokens`);
    // Portkey's gateway answers streamed requests with 500 on Node 20.
    const streaming = contenders.filter(({ target: { name } }) => name !== "Portkey");
    const stream = { ...plan, measure: "first token", tokens: 50 } as const;
    const tokens = measureAll(upstream, streaming, stream);
    const tokenOf = { section: "Gateway: added to the time of the first token", setting };
    rows.push(...timeRows(tokens, streaming, tokenOf, () => FIRST_TOKEN_LIMIT));
    if (latency > 0) return rows;
    note(`${CONCURRENCY} at once: throughput`);
    const load = { ...plan, measure: "throughput", amount: SECONDS / divisor } as const;
    return [...rows, ...throughputRows(measureAll(upstream, contenders, load), contenders)];
  } finally {
    await Promise.all([upstream, ...contenders].map((server) => server.stop()));
  }
}

/** Measures the overhead in front of servers that take 0 ms and 50 ms. */
export async function measureOverhead(options: GatewayBenchOptions): Promise<Measurement[]> {
  return [...await measureBehind(0, options), ...await measureBehind(50, options)];
}
