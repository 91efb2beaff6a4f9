/**
 * Measures what has no file of its own: streams, resuming, the cache, memory and the mock server.
 */
import { rmSync, statSync, writeFileSync } from "node:fs";
import type { Measurement } from "./measurement.ts";
import {
  median,
  peakMemory,
  run,
  type Runtime,
  RUNTIMES,
  scratch,
  startBenchServer,
  startServer,
} from "./runtimes.ts";

function rounds<T>(count: number, measure: () => T): T[] {
  return Array.from({ length: count }, measure);
}

/** One run that reads streams: the time to the first token, and the rate of all tokens. */
interface StreamRun {
  /** Seconds. */
  first: number;
  /** Tokens per second. */
  rate: number;
  /** Seconds of CPU time of the process per token, without the startup of the runtime. */
  cpuSeconds: number;
}

function readStreams(
  launch: Runtime["launch"],
  what: string,
  args: { baseUrl: string; streams: number; tokens: number },
): StreamRun {
  const { baseUrl, streams, tokens } = args;
  const worker = launch(`bench/workers/${what}_stream.ts`);
  const { output, cpuSeconds } = run([...worker, baseUrl, `${streams}`, `${tokens}`]);
  const start = run(launch("bench/workers/empty.ts"));
  const [first, rate] = output.split(" ").map(Number);
  return { first, rate, cpuSeconds: (cpuSeconds - start.cpuSeconds) / (streams * tokens) };
}

/** Measures the time to the first token, and tokens per second, of the library and a bare loop in turn. */
export async function measureStreams(count: number): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  const server = await startBenchServer();
  const { baseUrl } = server;
  for (const { name: runtime, launch } of RUNTIMES) {
    const pairs = (streams: number, tokens: number) =>
      rounds(count, () => ({
        bare: readStreams(launch, "bare", { baseUrl, streams, tokens }),
        library: readStreams(launch, "library", { baseUrl, streams, tokens }),
      }));
    const latencies = pairs(500, 20);
    const bareFirst = median(latencies.map(({ bare }) => bare.first)) * 1000;
    const first = median(latencies.map(({ library }) => library.first)) * 1000;
    const all = pairs(100, 20_000);
    const bareRate = median(all.map(({ bare }) => bare.rate));
    const rate = median(all.map(({ library }) => library.rate));
    const bareCpu = median(all.map(({ bare }) => bare.cpuSeconds));
    const cpu = median(all.map(({ library }) => library.cpuSeconds));
    const of = { section: "Streams", setting: "one at a time", runtime };
    rows.push(
      { ...of, what: "bare fetch, first token", value: bareFirst, unit: "ms" },
      { ...of, what: "library, first token", value: first, unit: "ms" },
      {
        ...of,
        what: "added to the first token",
        value: first - bareFirst,
        unit: "ms",
        target: { kind: "at most", limit: 1 },
      },
      {
        ...of,
        what: "bare fetch, tokens",
        value: bareRate,
        unit: "/s",
        ratio: 1,
        cpu: bareCpu * 1e6,
        cpuRatio: 1,
      },
      {
        ...of,
        what: "library, tokens",
        value: rate,
        unit: "/s",
        ratio: rate / bareRate,
        cpu: cpu * 1e6,
        cpuRatio: bareCpu / cpu,
        target: { kind: "at least", limit: 0.9 },
      },
    );
  }
  await server.stop();
  return rows;
}

function writeQuestions(count: number): string {
  const path = scratch("many.jsonl");
  const line = (_: unknown, i: number) => `{"q":"Question ${i}: what is the answer?"}\n`;
  writeFileSync(path, Array.from({ length: count }, line).join(""));
  return path;
}

/** Measures reading a finished result file of `records` results with 4 kB each. */
export async function measureResume(records: number, count: number): Promise<Measurement[]> {
  const input = writeQuestions(records);
  const output = scratch("finished.jsonl");
  rmSync(output, { force: true });
  const server = await startBenchServer(4000);
  const flags = ["batch", input, "-o", output, "-c", "64", "-m", "bench"];
  const command = [...flags, "--base-url", server.baseUrl, "--api-key", "bench-key"];
  run([...RUNTIMES[1].launch("main.ts"), ...command]);
  await server.stop();
  const megabytes = statSync(output).size / 1e6;
  return RUNTIMES.map(({ name, launch }) => {
    const start = median(rounds(count, () => run(launch("bench/workers/empty.ts")).seconds));
    const whole = median(rounds(count, () => run([...launch("main.ts"), ...command]).seconds));
    return {
      section: "Resuming",
      setting: `${records} records done, ${Math.round(megabytes)} MB`,
      runtime: name,
      what: "read",
      value: megabytes / (whole - start),
      unit: "MB/s",
      target: { kind: "at least", limit: 200 },
    };
  });
}

/** One line of a result file of about 1 kB. */
function resultLine(index: number): string {
  const text = 'The answer has a few sentences, and now and then \\"a quote\\".\\n'.repeat(12);
  const usage = '{"prompt_tokens":23,"completion_tokens":149,"total_tokens":172}';
  const latency = (index % 3000 + 1) / 1000;
  return `{"index":${index},"status":"success","input":[{"role":"user","content":"Question ${index}?"}],` +
    `"output":"${text}","finish_reason":"stop","metadata":{"id":${index}},"usage":${usage},` +
    `"model":"gpt-5.4-mini","endpoint":"https://api.openai.com/v1","latency":${latency},` +
    '"cost":0.00008,"at":"2026-11-28T11:00:00.000Z","queued":0.001,"attempts":1}\n';
}

/** Measures the summary that `flexllm results` prints. */
export function measureResults(records: number, count: number): Measurement[] {
  const file = scratch("results.jsonl");
  const lines = Array.from({ length: records }, (_, i) => resultLine(i));
  writeFileSync(file, lines.join(""));
  const megabytes = statSync(file).size / 1e6;
  return RUNTIMES.map(({ name, launch }) => {
    const start = median(rounds(count, () => run(launch("bench/workers/empty.ts")).seconds));
    const command = [...launch("main.ts"), "results", file];
    const whole = median(rounds(count, () => run(command).seconds));
    return {
      section: "Results",
      setting: `${records} records, ${Math.round(megabytes)} MB`,
      runtime: name,
      what: "summarized",
      value: megabytes / (whole - start),
      unit: "MB/s",
      target: { kind: "at least", limit: 200 },
    };
  });
}

/** Measures a batch whose answers are all in the response cache, including all work per record. */
export async function measureCache(records: number, count: number): Promise<Measurement[]> {
  const input = writeQuestions(records);
  const rows: Measurement[] = [];
  for (const { name: runtime, launch } of RUNTIMES) {
    const server = await startBenchServer(1000);
    const config = scratch(`cache-${runtime}.yaml`);
    const path = scratch(`cache-${runtime}`);
    writeFileSync(config, `batch: {cache: true, cache_ttl: 0}\ncache: {path: ${path}}\n`);
    const output = scratch("cached.jsonl");
    const runBatch = () => {
      rmSync(output, { force: true });
      const flags = ["-c", "64", "-m", "bench", "--base-url", server.baseUrl];
      const files = ["batch", input, "-o", output, "--config", config, "--api-key", "bench-key"];
      return run([...launch("main.ts"), ...files, ...flags]).seconds;
    };
    const start = median(rounds(count, () => run(launch("bench/workers/empty.ts")).seconds));
    const of = { section: "Response cache", setting: `${records} records, 1 kB`, runtime };
    const micro = (seconds: number) => (seconds - start) / records * 1e6;
    rows.push(
      { ...of, what: "miss: sent and stored", value: micro(runBatch()), unit: "µs per record" },
      {
        ...of,
        what: "hit",
        value: micro(median(rounds(count, runBatch))),
        unit: "µs per record",
        target: { kind: "at most", limit: 100 },
      },
    );
    await server.stop();
  }
  return rows;
}

/** Measures what OpenTelemetry costs a call to which nothing listens. */
export function measureTelemetry(count: number): Measurement[] {
  return RUNTIMES.map(({ name: runtime, launch }) => ({
    section: "OpenTelemetry",
    setting: "nothing listens",
    runtime,
    what: "CPU time per call",
    value: median(
      rounds(count, () => Number(run(launch("bench/workers/idle_telemetry.ts")).output)),
    ),
    unit: "ns",
    target: { kind: "at most", limit: 50 },
  }));
}

/** Measures the peak memory of a batch of `records` records. */
export async function measureMemory(records: number): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const { name: runtime, launch } of RUNTIMES) {
    const server = await startBenchServer();
    const output = scratch("large.jsonl");
    const peakOf = (input: string) => {
      rmSync(output, { force: true });
      const flags = ["batch", input, "-o", output, "-c", "64", "-m", "bench"];
      const command = [...flags, "--base-url", server.baseUrl, "--api-key", "bench-key"];
      return peakMemory([...launch("main.ts"), ...command]);
    };
    // Deno analyzes modules that it has not run before, which takes 200 MB.
    await peakOf(writeQuestions(1));
    const peak = await peakOf(writeQuestions(records));
    await server.stop();
    if (peak === undefined) continue;
    rows.push({
      section: "Memory",
      setting: `${records.toLocaleString("en-US")} records, concurrency 64`,
      runtime,
      what: "peak",
      value: peak,
      unit: "MB",
      target: { kind: "at most", limit: 200 },
    });
  }
  return rows;
}

/** Compares the mock with a minimal server; the bare loop sends the requests. */
export async function measureMock(requests: number, count: number): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const { name: runtime, launch } of RUNTIMES) {
    const rateOf = async (command: string[]) => {
      const server = await startServer(command);
      const client = [...RUNTIMES[1].launch("bench/workers/bare_loop.ts"), server.baseUrl];
      const measureRate = () => requests / Number(run([...client, String(requests), "64"]).output);
      const rate = median(rounds(count, measureRate));
      await server.stop();
      return rate;
    };
    const bare = await rateOf(launch("bench/workers/bare_server.ts"));
    const mock = await rateOf([...launch("main.ts"), "mock", "-p", "0"]);
    const of = { section: "Mock server", setting: "concurrency 64", runtime, unit: "/s" };
    rows.push(
      { ...of, what: "minimal server", value: bare, ratio: 1 },
      {
        ...of,
        what: "flexllm mock",
        value: mock,
        ratio: mock / bare,
        target: { kind: "at least", limit: 0.8 },
      },
    );
  }
  return rows;
}
