/** Kills gateways at random moments, and checks that their ledger lost nothing. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import { openKeyStore } from "../../lib/gateway/access/open_key_store.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { runtimeName } from "../../lib/runtime/runtime.ts";
import { costOf, type LedgerOrder, ORDER, reservedFor } from "./ledger_worker.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/**
 * Starts a worker, which may write files of `fileLimit` blocks. `file` is ledger_worker.ts, or a file that imports
 * it: Bun runs a bundle of a test.
 */
export function startWorker(file: string, order: LedgerOrder, fileLimit?: number): ChildProcess {
  const run = runtimeName().startsWith("Deno") ? ["run", "--quiet", "-A", file] : [file];
  const limit = fileLimit === undefined ? "" : `ulimit -f ${fileLimit}; `;
  return spawn("/bin/sh", ["-c", `${limit}exec "$@"`, "sh", process.execPath, ...run], {
    env: { ...process.env, [ORDER]: JSON.stringify(order) },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Reads what a worker prints, and kills it after `lines` lines. */
export async function linesOf(child: ChildProcess, lines = Infinity): Promise<string[]> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += chunk;
    if (text.split("\n").length > lines) process.kill(child.pid!, "SIGKILL");
  }
  // The last line may be cut off.
  return text.split("\n").slice(0, -1);
}

/** Checks that each request of the workers is in the ledger once, with a cost that it can have. Returns the sum. */
export async function checkSpending(path: string, printed: readonly string[]): Promise<number> {
  using keys = await openKeyStore(path);
  return checkRows(await keys.spending(), printed);
}

/** The same for rows of a ledger. */
export function checkRows(
  spending: readonly { model: string; requests: number; cost: number; endpoint: string }[],
  printed: readonly string[],
): number {
  const rows = new Map(spending.map((row) => [row.model, row]));
  let sum = 0;
  for (const line of printed) {
    const [step, name] = line.split(" ");
    if (step !== "reserved" && step !== "committed") continue;
    assert(rows.has(name), `${line}, but it is not in the ledger`);
  }
  for (const [name, { requests, cost, endpoint }] of rows) {
    const i = Number(name.split("-")[1]);
    assert.equal(requests, 1, `${name} was counted ${requests} times`);
    assert.equal(cost, endpoint === "" ? reservedFor(i) : costOf(i), name);
    sum += cost;
  }
  return sum;
}

/** Kills `rounds` gateways at random moments. */
export async function killLedgers(file: string, seed: number, rounds: number): Promise<void> {
  using folder = temporaryFolder();
  const path = folder.file("gateway.db");
  const random = seededRandom(seed);
  let secret: string;
  {
    using keys = await openKeyStore(path);
    ({ secret } = await keys.create("alice", { team: "web", budget: { day: 100 } }));
  }
  const printed: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const worker = startWorker(file, {
      path,
      secret,
      seed: seed + round,
      name: `w${round}`,
      requests: Infinity,
      concurrency: 16,
    });
    printed.push(...await linesOf(worker, 1 + Math.floor(random() * 150)));
  }
  const access = await openAccess({ database: path });
  assert(access.recovered.requests > 0, "the last kill came in the middle of requests");
  const sum = await checkSpending(path, printed);
  const [alice, web, all] = access.report().map(({ spent }) => spent.total);
  assert(Math.abs(alice - sum) < 1e-9, `${alice} in the balance, ${sum} in the rows`);
  assert.deepEqual([web, all], [alice, alice]);
  await access.close();
  const again = await openAccess({ database: path });
  assert.deepEqual(again.recovered, { requests: 0, cost: 0 }, "recovered once only");
  await again.close();
}
