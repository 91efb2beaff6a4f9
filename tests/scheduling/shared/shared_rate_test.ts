/** A rate that several processes share, on a real server; each sender stands for a process. */
import assert from "node:assert/strict";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { mostWithin, Sender } from "./senders.ts";

const ignore = redisServer === undefined;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Requests per second between the first one and the last one. */
function rateOf(times: readonly number[]): number {
  return (times.length - 1) * 1000 / (Math.max(...times) - Math.min(...times));
}

for (const perSecond of [5, 40, 300, 2500]) {
  Deno.test(`SharedRate: ${perSecond} a second, over three processes`, { ignore }, async () => {
    await using server = await RedisServer.start();
    const log: number[] = [];
    const rates = [{ group: "g", perSecond }];
    await using a = await Sender.start(server, rates, log);
    await using b = await Sender.start(server, rates, log);
    await using c = await Sender.start(server, rates, log, { isIdle: true });
    await sleep(4000);
    const most = mostWithin(log, 1000);
    console.log(perSecond, rateOf(log) / perSecond, most / perSecond);
    assert(most <= perSecond, `${most}`);
    // A busy machine loses moments; the exact share is measured by the benchmark.
    assert(rateOf(log) >= 0.7 * perSecond, `${rateOf(log)}`);
    for (const { errors } of [a, b, c]) assert.deepEqual(errors, []);
  });
}
