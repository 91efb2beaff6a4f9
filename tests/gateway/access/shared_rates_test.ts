/** Several gateways share rates and slots through Redis: together they send what one alone would. */
import assert from "node:assert/strict";
import type { KeyLimits } from "../../../lib/gateway/key_limits.ts";
import type { KeyAccess } from "../../../lib/gateway/access/key_access.ts";
import { openSharedAccess } from "../../../lib/gateway/access/open_shared_access.ts";
import { DEFAULT_STORE_LOSS, type StoreLossPolicy } from "../../../lib/redis/redis_settings.ts";
import { shareConnection } from "../../../lib/redis/shared_connection.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";

const NEVER = new AbortController().signal;

function ratesTest(name: string, fn: (server: RedisServer) => Promise<void>): void {
  Deno.test({
    name,
    ignore: redisServer === undefined,
    async fn() {
      await using server = await RedisServer.start();
      await fn(server);
    },
  });
}

function open(
  server: RedisServer,
  limits: KeyLimits,
  onStoreLoss: StoreLossPolicy = {},
): Promise<KeyAccess> {
  return openSharedAccess({
    redis: { address: server.address(), onStoreLoss: { ...DEFAULT_STORE_LOSS, ...onStoreLoss } },
    allowAnonymous: true,
    limits,
  });
}

function openSeveral(
  server: RedisServer,
  count: number,
  limits: KeyLimits,
  policy?: StoreLossPolicy,
) {
  return Promise.all(Array.from({ length: count }, () => open(server, limits, policy)));
}

function admit(access: KeyAccess, tokens = 1) {
  const demand = { route: "m", promptTokens: tokens, completionTokens: 0, cost: 0 };
  return access.admit(access.authenticate(undefined), demand, NEVER);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (condition()) return;
    await sleep(25);
  }
  assert.fail(`in vain: ${what}`);
}

/** One call; returns when it was admitted. */
async function call(gateway: KeyAccess, tokens: number): Promise<number> {
  using admission = await admit(gateway, tokens);
  const admitted = performance.now();
  admission.commit({
    model: "m",
    endpoint: "e",
    usage: { promptTokens: tokens, completionTokens: 0, totalTokens: tokens },
    cost: 0,
  });
  return admitted;
}

/** Sends as much as the gateways admit for some milliseconds; returns when each call was admitted. */
async function flood(
  gateways: readonly KeyAccess[],
  duration: number,
  tokens = 1,
): Promise<number[]> {
  const admitted: number[] = [];
  const end = performance.now() + duration;
  await Promise.all(gateways.flatMap((gateway) =>
    Array.from({ length: 4 }, async () => {
      while (performance.now() < end) {
        try {
          admitted.push(await call(gateway, tokens));
        } catch {
          await sleep(5);
        }
        await sleep(0);
      }
    })
  ));
  return admitted;
}

/** Checks every window: never more than a full bucket and what flows in. */
function checkWindows(times: readonly number[], perMinute: number, tokens = 1): void {
  for (let i = 0; i < times.length; i++) {
    for (let j = i; j < times.length; j++) {
      const sent = (j - i + 1) * tokens;
      // Milliseconds between the admission and our note of it.
      const allowed = perMinute + (times[j] - times[i] + 20) / 60_000 * perMinute + tokens;
      assert(sent <= allowed, `${sent} in ${times[j] - times[i]} ms, of ${allowed}`);
    }
  }
}

ratesTest("all gateways together keep to the requests per minute", async (server) => {
  const gateways = await openSeveral(server, 3, { rpm: 600 });
  const times = await flood(gateways, 1500);
  checkWindows(times, 600);
  assert(times.length >= 595, `only ${times.length} of the 600 that a full bucket holds`);
  for (const gateway of gateways) await gateway.close();
});

ratesTest("calls far below the limits are never refused", async (server) => {
  const gateway = await open(server, { rpm: 1_000_000, tpm: 100_000_000, concurrent: 5000 });
  const end = performance.now() + 1500;
  let admitted = 0;
  // Bursts: more calls than before come while earlier ones wait for quota.
  await Promise.all(Array.from({ length: 200 }, async (_, i) => {
    await sleep(5 * i);
    while (performance.now() < end) {
      const admission = await admit(gateway, 10);
      admitted++;
      await sleep(i % 7);
      admission.release();
    }
  }));
  assert(admitted > 200);
  await gateway.close();
});

ratesTest("few requests per minute can be used by any gateway", async (server) => {
  const gateways = await openSeveral(server, 3, { rpm: 3 });
  for (const gateway of gateways) (await admit(gateway)).release();
  for (const gateway of gateways) {
    await assert.rejects(admit(gateway), (error: { status?: number; retryAfter?: number }) => {
      assert.equal(error.status, 429);
      assert(error.retryAfter! > 10 && error.retryAfter! <= 20, `${error.retryAfter}`);
      return true;
    });
  }
  for (const gateway of gateways) await gateway.close();
});

ratesTest("all gateways together keep to the tokens per minute", async (server) => {
  const gateways = await openSeveral(server, 2, { tpm: 60_000 });
  const times = await flood(gateways, 1000, 500);
  checkWindows(times, 60_000, 500);
  assert(times.length >= 119, `only ${times.length} of 120`);
  await gateways[0].close();
  await gateways[1].close();
});

ratesTest(
  "tokens that were estimated but not used can be used by another gateway",
  async (server) => {
    const [first, second] = await openSeveral(server, 2, { tpm: 1000 });
    const admission = await admit(first, 1000);
    await assert.rejects(admit(second, 500), /1000 tokens per minute/);
    admission.commit({
      model: "m",
      endpoint: "e",
      usage: { promptTokens: 100, completionTokens: 0, totalTokens: 100 },
      cost: 0,
    });
    admission.release();
    await sleep(700);
    (await admit(second, 500)).release();
    await first.close();
    await second.close();
  },
);

ratesTest("all gateways together keep to the concurrent requests", async (server) => {
  const gateways = await openSeveral(server, 3, { concurrent: 5 });
  let inFlight = 0;
  let most = 0;
  let done = 0;
  await Promise.all(gateways.flatMap((gateway) =>
    Array.from({ length: 5 }, async () => {
      for (let i = 0; i < 30; i++) {
        try {
          using _admission = await admit(gateway);
          most = Math.max(most, ++inFlight);
          await sleep(3);
          inFlight--;
          done++;
        } catch {
          await sleep(2);
        }
      }
    })
  ));
  assert.equal(most, 5);
  assert(done > 50, `${done}`);
  await sleep(600);
  const held = await Promise.all(Array.from({ length: 5 }, () => admit(gateways[0])));
  await assert.rejects(admit(gateways[1]), /allows 5 concurrent requests/);
  held[0].release();
  await sleep(200);
  (await admit(gateways[1])).release();
  for (const gateway of gateways) await gateway.close();
});

ratesTest("the headers show what all gateways have left", async (server) => {
  const [first, second] = await openSeveral(server, 2, { rpm: 10 });
  (await admit(first)).release();
  (await admit(first)).release();
  await sleep(600);
  using admission = await admit(second);
  assert.deepEqual(
    [admission.limits.requests?.limit, admission.limits.requests?.remaining],
    [10, 7],
  );
  await first.close();
  await second.close();
});

ratesTest("without Redis each gateway keeps to its part of a rate", async (server) => {
  const gateways = await openSeveral(server, 2, { rpm: 6000 });
  await until(() => gateways.every((gateway) => gateway.store()!.gateways === 2), "they meet");
  const times = await flood(gateways, 300);
  await server.kill();
  await until(() => gateways.every((gateway) => !gateway.store()!.up), "Redis is away");
  times.push(...await flood(gateways, 500));
  await server.restart();
  await until(() => gateways.every((gateway) => gateway.store()!.up), "Redis is back");
  times.push(...await flood(gateways, 300));
  checkWindows(times.sort((a, b) => a - b), 6000);
  for (const gateway of gateways) await gateway.close();
});

ratesTest("without Redis nothing is admitted if that was asked for", async (server) => {
  await using gateway = await open(server, { rpm: 600 }, { rates: "stop" });
  (await admit(gateway)).release();
  await server.kill();
  await until(() => !gateway.store()!.up, "Redis is away");
  await assert.rejects(admit(gateway), (error: { status?: number; message: string }) => {
    assert.equal(error.status, 503);
    assert.match(error.message, /cannot check rate limits/);
    return true;
  });
  await server.restart();
  await until(() => gateway.store()!.up, "Redis is back");
  (await admit(gateway)).release();
});

ratesTest("calls of a busy gateway rarely wait for Redis", async (server) => {
  await using gateway = await open(server, { rpm: 600_000, tpm: 10_000_000, concurrent: 1000 });
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 100 }, () => call(gateway, 1)));
  }
  await using share = await shareConnection(server.address());
  const stats = String(await share.connection.command(["INFO", "commandstats"]));
  const exchanges = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
  assert(exchanges < 200, `${exchanges} exchanges for 2000 calls`);
});
