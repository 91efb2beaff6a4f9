/**
 * `deno task bench:gateway`: compares `flexllm serve` on Deno and Bun with a bare proxy and with Portkey's
 * gateway, and each figure with its target.
 *
 * Options: --only TEXT (sections whose name contains it: overhead, leaving, soak), --rounds N (default 5),
 * --short (a tenth of the requests), --runtime NAME (only for the section soak), --portkey DIR (where Portkey's
 * gateway is installed; by default it is installed into a temporary directory), --no-portkey, --json,
 * --markdown FILE (writes the tables between the two `gateway` comments of that file).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { measureLeaving } from "./gateway/leaving.ts";
import { measureOverhead } from "./gateway/overhead.ts";
import { measureSoak } from "./gateway/soak.ts";
import { machine, writeTables } from "./markdown_page.ts";
import { type Measurement, plainTables } from "./measurement.ts";
import { cleanUp, RUNTIMES } from "./runtimes.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    short: { type: "boolean", default: false },
    runtime: { type: "string", default: "" },
    portkey: { type: "string" },
    "no-portkey": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    markdown: { type: "string" },
  },
});
const divisor = values.short ? 10 : 1;

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

const SECTIONS: Record<string, () => Promise<Measurement[]>> = {
  "overhead": () =>
    measureOverhead({
      rounds: Number(values.rounds),
      divisor,
      portkey: values["no-portkey"] ? false : values.portkey,
      note,
    }),
  "leaving": () => measureLeaving(100 / divisor),
  "soak": () =>
    measureSoak({
      requests: 300_000 / divisor,
      abandoned: 20_000 / divisor,
      runtimes: RUNTIMES.filter(({ name }) => name.includes(values.runtime)),
      note,
    }),
};

try {
  const rows: Measurement[] = [];
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (!name.includes(values.only)) continue;
    note(`== ${name}`);
    rows.push(...await measure());
  }
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else process.stdout.write(`${machine()}\n\n${plainTables(rows)}`);
  if (values.markdown !== undefined) writeTables(values.markdown, "gateway", rows);
} finally {
  cleanUp();
}
process.exit();
