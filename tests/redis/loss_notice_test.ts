/** The loss of a server is reported in one line, for all parts of a process that use it. */
import assert from "node:assert/strict";
import { reportLoss } from "../../lib/redis/loss_notice.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("one line each way for all parts that report to one function", {
  ignore: redisServer === undefined,
}, async () => {
  await using server = await RedisServer.start();
  await using redis = await RedisConnection.open(server.address());
  const lines: string[] = [];
  const others: string[] = [];
  const report = (line: string) => void lines.push(line);
  const ends = ["the batch waits", "rates are divided", "rates are divided", "this has ended"]
    .map((consequence) => reportLoss(redis, report, consequence));
  ends.pop()!();
  const endOther = reportLoss(redis, (line) => void others.push(line), "no answers are used");
  await server.kill();
  await until(() => lines.length > 0);
  assert.match(
    lines[0],
    /: the connection was closed; until it can be used again, the batch waits, and rates are divided$/,
  );
  assert.match(others[0], /; until it can be used again, no answers are used$/);
  // A part that begins during the outage.
  const late: string[] = [];
  const endLate = reportLoss(redis, (line) => void late.push(line), "it waits");
  await until(() => late.length > 0);
  assert.match(late[0], /cannot be used: .*; until it can be used again, it waits$/);
  await server.restart();
  await until(() => lines.length > 1 && late.length > 1);
  for (const said of [lines, others, late]) {
    assert.match(said[1], /^Redis at redis:\/\/127\.0\.0\.1:\d+ can be used again, after \d+ s$/);
    assert.equal(said.length, 2);
  }
  for (const end of [...ends, endOther, endLate]) end();
  await server.kill();
  await until(() => !redis.isUp);
  assert.equal(lines.length + others.length + late.length, 6);
});
