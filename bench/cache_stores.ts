/**
 * `deno run -A bench/cache_stores.ts`: measures the response cache. For each store on each runtime: opening
 * it, a put, a hit with 64 concurrent callers, and the size of 100,000 answers on disk.
 *
 * Options: --entries N, --characters N (per answer), --concurrency N, --json.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    entries: { type: "string", default: "100000" },
    characters: { type: "string", default: "1000" },
    concurrency: { type: "string", default: "64" },
    json: { type: "boolean", default: false },
  },
});

/** The output of workers/cache_store.ts. */
interface Row {
  runtime: string;
  store: string;
  openMs: number;
  putMicroseconds: number;
  hitMicroseconds: number;
  storeHitMicroseconds: number;
  megabytesPer100000: number | null;
}

const folder = mkdtempSync(join(tmpdir(), "flexllm-bench-"));
const worker = new URL("./workers/cache_store.ts", import.meta.url).pathname;

function run(command: string[], store: string): Row {
  const path = join(folder, `${store}-${command.length}`, "cache");
  const { entries, characters, concurrency } = values;
  const options = [store, path, entries, characters, concurrency];
  const output = execFileSync(command[0], [...command.slice(1), ...options], { encoding: "utf8" });
  rmSync(join(path, ".."), { recursive: true, force: true });
  return JSON.parse(output);
}

try {
  const bundle = join(folder, "cache_worker.js");
  const deno = [process.execPath, "run", "-A", worker];
  execFileSync(process.execPath, ["bundle", "-q", "--platform", "deno", "-o", bundle, worker]);
  const rows = [
    run(deno, "kv"),
    run(deno, "sqlite"),
    run(deno, "memory"),
    run(["bun", bundle], "sqlite"),
    run(["bun", bundle], "memory"),
  ];
  if (values.json) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
  } else {
    const head = ["runtime", "store", "open ms", "put µs", "hit µs", "store µs", "MB/100k"];
    const lines = rows.map((row) => [
      row.runtime,
      row.store,
      row.openMs.toFixed(1),
      row.putMicroseconds.toFixed(1),
      row.hitMicroseconds.toFixed(1),
      row.storeHitMicroseconds.toFixed(1),
      row.megabytesPer100000?.toFixed(0) ?? "",
    ]);
    for (const line of [head, ...lines]) {
      process.stdout.write(`${line.map((cell) => cell.padEnd(13)).join("")}\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
