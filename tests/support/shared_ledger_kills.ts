/** Kills gateways that share a budget through Redis, and checks what they have sent, and that nothing is lost. */
import assert from "node:assert/strict";
import { seededRandom } from "../../lib/runtime/random.ts";
import { checkRows, linesOf, startWorker } from "./ledger_kills.ts";
import { costOf } from "./ledger_worker.ts";
import { RedisServer } from "./redis_server.ts";
import { instances, openGateway, redisCommand, until } from "./shared_gateways.ts";

const GATEWAYS = 3;
/** USD for each killed gateway, and for each of those that use up the rest. */
const PART = 0.1;

/** Kills `rounds` of three gateways with calls in flight, one after the other, while the others spend the budget. */
export async function killSharedGateways(
  file: string,
  seed: number,
  rounds: number,
): Promise<void> {
  await using server = await RedisServer.start();
  const random = seededRandom(seed);
  const total = PART * (rounds + GATEWAYS);
  let number = 0;
  const run = (lines?: number) =>
    linesOf(
      startWorker(file, {
        ...{ path: "", secret: "", redis: server.url, budget: total, endsWhenRefused: true },
        ...{ name: `w${number}`, seed: seed + number++, requests: Infinity, concurrency: 8 },
      }),
      lines,
    );
  const printed: string[] = [];
  const lanes = Array.from({ length: GATEWAYS }, async (_, lane) => {
    for (let round = lane; round < rounds; round += GATEWAYS) {
      printed.push(...await run(2 + Math.floor(random() * 60)));
    }
    printed.push(...await run());
  });
  await Promise.all(lanes);
  assert(printed.some((line) => /^refused .*budget/.test(line)), "the budget is used up");
  // The server bills each request that was sent, also those of killed gateways.
  const sent = printed.filter((line) => line.startsWith("reserved"));
  const billed = sent.reduce((sum, line) => sum + costOf(Number(line.split("-")[1])), 0);
  assert(billed <= total, `billed $${billed} of $${total}`);

  const killed = await instances(server);
  assert(killed.length <= rounds, "all others have left");
  for (const instance of killed) {
    await redisCommand(server, "ZADD", "flexllm:gateway:instances", 1, instance);
  }
  await using observer = await openGateway(server, { limits: { budget: { total: total } } });
  await until(async () => (await instances(server)).length === 1, "the killed ones are ended");
  const rows = await observer.keys.spending();
  assert(rows.some(({ endpoint }) => endpoint === ""), "calls were in flight at a kill");
  const sum = checkRows(rows, printed);
  const spent = observer.report().find(({ kind }) => kind === "all")!.spent.total;
  assert(Math.abs(spent - sum) < 1e-9, `${spent} in the balance, ${sum} in the rows`);
  assert(sum <= total + 1e-9, `${sum}`);
  assert(billed <= sum + 1e-9, `billed $${billed}, known $${sum}`);
}
