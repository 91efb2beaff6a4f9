/**
 * A process that spends money through a ledger until it is killed. Prints a line for each step that it knows to be
 * stored, and numbers its requests, so that each of them can be found in the ledger.
 */
import process from "node:process";
import { writeSync } from "node:fs";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import { openSharedAccess } from "../../lib/gateway/access/open_shared_access.ts";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { DEFAULT_STORE_LOSS } from "../../lib/redis/redis_settings.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { surviveFileSizeLimit } from "../../lib/runtime/runtime.ts";

export interface LedgerOrder {
  path: string;
  /** Empty for none. */
  secret: string;
  /** The URL of a Redis server through which workers share one budget, in place of the database at `path`. */
  redis?: string;
  /** The budget of all workers in USD. */
  budget?: number;
  seed: number;
  /** In front of the number of each request. */
  name: string;
  /** The number of requests. */
  requests: number;
  concurrency: number;
  /** Whether it ends when the ledger cannot be written, or the budget is used up. */
  endsWhenRefused?: boolean;
}

/** USD of request `i`: distinct, so that a wrong sum shows. */
export function reservedFor(i: number): number {
  return (2_000_000 + i) / 1e9;
}

/** What request `i` turns out to cost. */
export function costOf(i: number): number {
  return (1_000_000 + i) / 1e9;
}

function print(line: string): void {
  writeSync(1, `${line}\n`);
}

/** The environment variable with the order of a worker, as JSON. */
export const ORDER = "FLEXLLM_TEST_LEDGER_ORDER";

const NEVER = new AbortController().signal;

/** Carries out an order. */
async function runLedgerWorker(order: LedgerOrder): Promise<void> {
  surviveFileSizeLimit();
  const { path, secret, seed, name, requests, concurrency } = order;
  const onWarning = (message: string) => print(`warning ${message}`);
  const access = order.redis === undefined
    ? await openAccess({
      database: path,
      teams: { web: { budget: { total: 1000 } } },
      onWarning,
    })
    : await openSharedAccess({
      redis: {
        address: parseRedisAddress(order.redis, "redis"),
        onStoreLoss: DEFAULT_STORE_LOSS,
      },
      allowAnonymous: true,
      limits: { budget: { total: order.budget } },
      maxBudgetWait: 1,
      onWarning,
    });
  print(`recovered ${access.recovered.requests} ${access.recovered.cost}`);
  const random = seededRandom(seed);
  const caller = access.authenticate(secret);
  let next = 0;
  let isRefused = false;
  const work = async () => {
    while (next < requests && !isRefused) {
      const i = next++;
      const demand = { route: `${name}-${i}`, promptTokens: 1, completionTokens: 1 };
      try {
        using admission = await access.admit(
          caller,
          { ...demand, cost: reservedFor(i) },
          NEVER,
        );
        print(`reserved ${name}-${i}`);
        await new Promise((resolve) => setTimeout(resolve, random() * 4));
        const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2 };
        admission.commit({ model: demand.route, endpoint: "e", usage, cost: costOf(i) });
        print(`committed ${name}-${i}`);
      } catch (error) {
        print(`refused ${name}-${i} ${error instanceof Error ? error.message : error}`);
        if (!order.endsWhenRefused) throw error;
        isRefused = true;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  await access.close();
  print("closed");
  process.exit(0);
}

const order = process.env[ORDER];
// Also when a test that imports this file is run with an order.
if (order !== undefined) {
  await runLedgerWorker(JSON.parse(order, (_, value) => value ?? Infinity));
}
