/**
 * `deno task bench`: measures flexllm on Deno and Bun against one local server, and compares each figure
 * with its target. What counts is the ratio to a bare `fetch` loop on the same runtime in the same run.
 *
 * Options: --only TEXT (sections whose name contains it), --setting TEXT (settings of the section `requests` that
 * contain it), --own (no other packages there), --promptfoo DIR (where promptfoo and its Node are installed, for
 * the section `peers`; with `--only peers` and no DIR, they are installed into a temporary directory), --rounds N
 * (default 3), --streams N (of the section `many`, default 5,000; needs as many open files), --short (takes a minute;
 * fails if a figure misses twice its target), --json, --markdown FILE (writes the tables between the two
 * `bench` comments of that file).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { measureManyStreams } from "./many_streams.ts";
import { machine, writeTables } from "./markdown_page.ts";
import { type Measurement, plainTables, reaches } from "./measurement.ts";
import {
  measureCache,
  measureMemory,
  measureMock,
  measureResults,
  measureResume,
  measureStreams,
  measureTelemetry,
} from "./other_figures.ts";
import { measurePeers } from "./peers.ts";
import { measureRamp } from "./ramp.ts";
import { cleanUp, median } from "./runtimes.ts";
import { measureStart } from "./startup.ts";
import { measureThroughput, SETTINGS, SHORT } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    setting: { type: "string" },
    own: { type: "boolean", default: false },
    promptfoo: { type: "string" },
    rounds: { type: "string", default: "3" },
    streams: { type: "string", default: "5000" },
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    markdown: { type: "string" },
  },
});
const rounds = Number(values.rounds);

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

const SECTIONS: Record<string, () => Measurement[] | Promise<Measurement[]>> = {
  "requests": () => {
    const { setting, own: isOwnOnly } = values;
    return measureThroughput(SETTINGS, { rounds, pick: median, setting, isOwnOnly, note });
  },
  "ramp": () => measureRamp(rounds),
  "peers": () => {
    const { promptfoo: folder, only } = values;
    // The installation takes 1.6 GB.
    if (folder === undefined && only === "") return [];
    return measurePeers({ records: 2000, rounds, folder, note });
  },
  "streams": () => measureStreams(rounds),
  "many": () => measureManyStreams(Number(values.streams), rounds),
  "resume": () => measureResume(100_000, rounds),
  "results": () => measureResults(300_000, rounds),
  "cache": () => measureCache(100_000, rounds),
  "start": () => measureStart(21),
  "telemetry": () => measureTelemetry(rounds),
  "memory": () => measureMemory(1_000_000),
  "mock": () => measureMock(60_000, rounds),
};

async function measureAll(): Promise<Measurement[]> {
  // Other load on the machine can only slow a run down, so the fastest round is the most accurate.
  const best = (seconds: readonly number[]) => Math.min(...seconds);
  if (values.short) return await measureThroughput(SHORT, { rounds: 2, pick: best, note });
  const rows: Measurement[] = [];
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (!name.includes(values.only)) continue;
    note(`== ${name}`);
    rows.push(...await measure());
  }
  return rows;
}

try {
  const rows = await measureAll();
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else process.stdout.write(`${machine()}\n\n${plainTables(rows)}`);
  if (values.markdown !== undefined) writeTables(values.markdown, "bench", rows);
  const failed = rows.filter((row) => !reaches(row, 2));
  if (values.short && failed.length > 0) {
    note(
      `Far below target: ${failed.map(({ runtime, what }) => `${what} on ${runtime}`).join(", ")}`,
    );
    process.exitCode = 1;
  }
} finally {
  cleanUp();
}
process.exit();
