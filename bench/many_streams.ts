/**
 * Measures many streams at once: how late their tokens are read, and what they cost, against `fetch` alone.
 */
import type { Measurement } from "./measurement.ts";
import { median, run, type Runtime, RUNTIMES, startServer } from "./runtimes.ts";

/** What a worker prints; see bench/workers/open_streams.ts. */
interface StreamFigures {
  late: number;
  longest: number;
  memory: number;
  tokens: number;
  /** Microseconds of CPU time per token. */
  cpu: number;
}

/** Tokens of a stream, which take ten seconds. */
const TOKENS = 200;

function read({ launch }: Runtime, what: string, baseUrl: string, streams: number): StreamFigures {
  const worker = launch(`bench/workers/${what}_many_streams.ts`);
  const { output, cpuSeconds } = run([...worker, baseUrl, String(streams)]);
  const start = run(launch("bench/workers/empty.ts"));
  const figures = JSON.parse(output) as Omit<StreamFigures, "cpu">;
  if (figures.tokens !== streams * TOKENS) throw new Error(`received ${figures.tokens} tokens`);
  return { ...figures, cpu: (cpuSeconds - start.cpuSeconds) / figures.tokens * 1e6 };
}

/** The same for a client that may fail: Deno's `fetch` cannot open thousands of streams here. */
function tryRead(...args: Parameters<typeof read>): StreamFigures | undefined {
  try {
    return read(...args);
  } catch {
    return undefined;
  }
}

/** Measures `streams` streams of 20 tokens per second each, of the library and of `fetch` in turn. */
export async function measureManyStreams(streams: number, rounds: number): Promise<Measurement[]> {
  const server = await startServer([
    "bun",
    new URL("stream_server.ts", import.meta.url).pathname,
    String(TOKENS),
  ]);
  const rows: Measurement[] = [];
  for (const runtime of RUNTIMES) {
    const pairs = Array.from({ length: rounds }, () => ({
      bare: tryRead(runtime, "bare", server.baseUrl, streams),
      library: read(runtime, "library", server.baseUrl, streams),
    }));
    const of = {
      section: "Many streams",
      setting: `${streams.toLocaleString("en-US")} streams, 20 tokens/s each`,
      runtime: runtime.name,
    };
    const isBareComplete = pairs.every(({ bare }) => bare !== undefined);
    const pick = (what: "bare" | "library", figure: keyof StreamFigures) =>
      median(pairs.map((pair) => pair[what]?.[figure] ?? 0));
    for (const what of ["bare", "library"] as const) {
      const name = what === "bare" ? "bare fetch" : what;
      if (what === "bare" && !isBareComplete) {
        rows.push({
          ...of,
          what: `${name}, streams that it cannot open`,
          value: 1,
          unit: "or more",
        });
        continue;
      }
      const cpu = pick(what, "cpu");
      const cost = { cpu, cpuRatio: isBareComplete ? pick("bare", "cpu") / cpu : undefined };
      rows.push(
        { ...of, what: `${name}, 99.9 % of tokens`, value: pick(what, "late"), unit: "ms" },
        {
          ...of,
          what: `${name}, longest delay`,
          value: pick(what, "longest"),
          unit: "ms",
          ...cost,
        },
        ...what === "bare"
          ? [{
            ...of,
            what: `${name}, memory of a stream`,
            value: pick(what, "memory") / 1000,
            unit: "kB" as const,
          }]
          : [],
      );
    }
    rows.push(
      {
        ...of,
        what: "added to the longest delay",
        value: pick("library", "longest") - pick("bare", "longest"),
        unit: "ms",
        target: { kind: "at most", limit: 100 },
      },
      {
        ...of,
        what: "library, memory of a stream",
        value: pick("library", "memory") / 1000,
        unit: "kB",
        target: { kind: "at most", limit: 60 },
      },
    );
  }
  await server.stop();
  return rows;
}
