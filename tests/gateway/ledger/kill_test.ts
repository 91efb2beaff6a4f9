/** A ledger survives kills and a full disk: nothing is lost, nothing is counted twice. */
import assert from "node:assert/strict";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import { openKeyStore } from "../../../lib/gateway/access/open_key_store.ts";
import { checkSpending, killLedgers, linesOf, startWorker } from "../../support/ledger_kills.ts";
import { redisServer } from "../../support/redis_server.ts";
import { killSharedGateways } from "../../support/shared_ledger_kills.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const FILE = fileURLToPath(import.meta.url);

Deno.test("money reserved by a killed gateway counts as spent, exactly once", async () => {
  await killLedgers(FILE, 7, 4);
});

Deno.test(
  "a budget of several gateways holds at the server when some are killed",
  { ignore: redisServer === undefined || process.platform === "win32" },
  async () => {
    await killSharedGateways(FILE, 7, 3);
  },
);

Deno.test("on a full disk no new money is admitted, and what was spent is not lost", async () => {
  if (process.platform === "win32") return;
  using folder = temporaryFolder();
  const path = folder.file("gateway.db");
  let secret: string;
  {
    using keys = await openKeyStore(path);
    ({ secret } = await keys.create("alice", { team: "web" }));
  }
  const order = { path, secret, seed: 1, name: "w0", requests: 100_000, concurrency: 8 };
  // 512 bytes or a kilobyte each, by shell.
  const lines = await linesOf(startWorker(FILE, { ...order, endsWhenRefused: true }, 200));
  const refused = lines.filter((line) => line.startsWith("refused"));
  assert.match(refused[0], /cannot store spending: .*the disk is full or failing/);
  assert.equal(lines.at(-1), "closed", "it still ends properly");
  await checkSpending(path, []);
  const access = await openAccess({ database: path });
  await checkSpending(path, lines);
  await access.close();
});
