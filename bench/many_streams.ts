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
      bare: read(runtime, "bare", server.baseUrl, streams),
      library: read(runtime, "library", server.baseUrl, streams),
    }));
    const of = {
      section: "Many streams",
      setting: `${streams.toLocaleString("en-US")} streams, 20 tokens/s each`,
      runtime: runtime.name,
    };
    const pick = (what: "bare" | "library", figure: keyof StreamFigures) =>
      median(pairs.map((pair) => pair[what][figure]));
    const bareCpu = pick("bare", "cpu");
    for (const what of ["bare", "library"] as const) {
      const cpu = pick(what, "cpu");
      const name = what === "bare" ? "bare fetch" : what;
      const cost = { cpu, cpuRatio: bareCpu / cpu };
      rows.push(
        { ...of, what: `${name}, 99.9 % of tokens`, value: pick(what, "late"), unit: "ms" },
        {
          ...of,
          what: `${name}, longest delay`,
          value: pick(what, "longest"),
          unit: "ms",
          ...cost,
        },
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
        what: "memory added to a stream",
        value: (pick("library", "memory") - pick("bare", "memory")) / 1000,
        unit: "kB",
        target: { kind: "at most", limit: 60 },
      },
    );
  }
  await server.stop();
  return rows;
}
