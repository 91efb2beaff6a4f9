import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { StoreKind } from "../../lib/cache/store.ts";
import { openKv } from "../../lib/runtime/deno_kv.ts";
import { FILE_KINDS, openKind, SHARED_KINDS, storePlace } from "../support/cache_stores.ts";
import { runCacheWorker, type WorkerOrder, type WorkerReport } from "../support/cache_worker.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const ORDER = "FLEXLLM_TEST_CACHE_ORDER";

/** Runs this file as a worker. Only Deno has `info`; Bun runs a bundle of this file. */
function command(): string[] {
  const file = fileURLToPath(import.meta.url);
  if (openKv === undefined) return [process.execPath, file];
  return [process.execPath, "run", "--quiet", "-A", "--unstable-kv", file];
}

function startWorker(order: WorkerOrder, fileLimit?: number): ChildProcess {
  const limit = fileLimit === undefined ? "" : `ulimit -f ${fileLimit}; `;
  return spawn("/bin/sh", ["-c", `${limit}exec "$@"`, "sh", ...command()], {
    env: { ...process.env, [ORDER]: JSON.stringify(order) },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function reportOf(child: ChildProcess): Promise<WorkerReport> {
  let text = "";
  child.stdout!.on("data", (chunk) => text += chunk);
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, `the worker ended with ${code} after ${text.length} characters`);
  return JSON.parse(text.trimEnd().split("\n").at(-1)!);
}

/** Resolves when `child` has printed `lines` lines, in the middle of its work. */
async function saidLines(child: ChildProcess, lines: number): Promise<void> {
  let seen = 0;
  for await (const chunk of child.stdout!) {
    seen += String(chunk).split("\n").length - 1;
    if (seen >= lines) return;
  }
}

async function testProcesses(kind: StoreKind): Promise<void> {
  await using place = await storePlace(kind);
  const { path } = place;
  const order = { store: kind, path, answers: 1500, keys: 150, characters: 200_000 };
  let working = true;
  const reports = Promise.all(Array.from({ length: 7 }, () => reportOf(startWorker(order))))
    .finally(() => working = false);
  let kills = 0;
  while (working && kills < 30) {
    const victim = startWorker({ ...order, answers: Infinity });
    await saidLines(victim, 1 + kills % 4);
    process.kill(victim.pid!, "SIGKILL");
    await new Promise((resolve) =>
      victim.exitCode ?? victim.signalCode ?? victim.on("exit", resolve)
    );
    kills++;
  }
  const all = await reports;
  for (const report of all) {
    assert.deepEqual([report.wrong, report.warnings], [0, []]);
    // The other workers share the cache. With its own cache, a worker would have to fetch every key.
    assert.ok(report.hits > 0);
  }
  assert.ok(kills >= 2, `${kills} kills`);
  const store = await openKind(kind, path);
  const { entries, hits } = await store.stats();
  assert.ok(entries <= order.keys && entries > 100, `${entries} entries`);
  assert.ok(hits > 0);
  await store.prune({ before: 0, now: Date.now() });
  await store.close();
}

async function testFullDisk(kind: StoreKind): Promise<void> {
  using folder = temporaryFolder();
  const path = folder.file("cache/file");
  // 20 MB, which is more than the runtime itself writes.
  const order = { store: kind, path, answers: 200, keys: 1000, characters: 5_000_000 };
  const { answers, wrong, warnings } = await reportOf(startWorker(order, 40_960));
  assert.deepEqual([answers >= 200, wrong], [true, 0]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /disk is full or failing/);
  const store = await openKind(kind, path);
  await store.stats();
  await store.close();
}

const order = process.env[ORDER];
if (order !== undefined) {
  const { answers, ...rest } = JSON.parse(order);
  // JSON has no Infinity.
  await runCacheWorker({ ...rest, answers: answers ?? Infinity });
} else if (process.platform !== "win32") {
  for (const kind of SHARED_KINDS) {
    Deno.test(`${kind} store: eight processes, one of them killed again and again`, () =>
      testProcesses(kind));
  }
  for (const kind of FILE_KINDS) {
    Deno.test(`${kind} store: a file that cannot grow turns the cache off`, () =>
      testFullDisk(kind));
  }
}
