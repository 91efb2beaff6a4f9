/**
 * `deno task bench:fleet`: measures batches on several workers: three workers in comparison with one, two workers in
 * comparison with one process alone, CPU time per record, the memory of a worker, and what limits, a cache and a
 * gateway in Redis cost. Needs a Redis server.
 *
 * Options: --only TEXT (sections whose name contains it: workers, overhead, memory, limits, cache, gateway),
 * --rounds N (default 3), --short (a tenth of the records), --runtime NAME, --json, --markdown FILE (writes the
 * tables between the two `fleet` comments of that file).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { measureGateways } from "./fleet/gateways.ts";
import { measureCache, measureLimits } from "./fleet/sharing.ts";
import {
  type FleetBenchOptions,
  measureMemory,
  measureOverhead,
  measureWorkers,
} from "./fleet/throughput.ts";
import { machine, writeTables } from "./markdown_page.ts";
import { type Measurement, plainTables } from "./measurement.ts";
import { cleanUp, RUNTIMES } from "./runtimes.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    short: { type: "boolean", default: false },
    runtime: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    markdown: { type: "string" },
  },
});

const options: FleetBenchOptions = {
  rounds: Number(values.rounds),
  divisor: values.short ? 10 : 1,
  runtimes: RUNTIMES.filter(({ name }) => name.includes(values.runtime)),
  note: (line) => void process.stderr.write(`${line}\n`),
};

const SECTIONS: Record<string, (options: FleetBenchOptions) => Promise<Measurement[]>> = {
  "workers": measureWorkers,
  "overhead": measureOverhead,
  "memory": measureMemory,
  "limits": measureLimits,
  "cache": measureCache,
  "gateway": measureGateways,
};

try {
  const rows: Measurement[] = [];
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (name.includes(values.only)) rows.push(...await measure(options));
  }
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else process.stdout.write(`${machine()}\n\n${plainTables(rows)}`);
  if (values.markdown !== undefined) writeTables(values.markdown, "fleet", rows);
} finally {
  cleanUp();
}
process.exit();
