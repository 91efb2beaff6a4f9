/** A worker process that was frozen for longer than its claims last starts none of its old records. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import { start } from "../support/cli.ts";
import { collect, Fleet, numbered } from "../support/fleet.ts";
import { answer, startModelServer } from "../support/model_server.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";

const ignore = redisServer === undefined;

Deno.test("a frozen worker notices that its records have gone to others", { ignore }, async () => {
  await using server = await RedisServer.start();
  await using fleet = new Fleet(server);
  const sent: string[] = [];
  await using upstream = await startModelServer((request) => {
    const [{ content }] = request.body.messages as { content: string }[];
    sent.push(content);
    answer(request, "from the process");
  });
  const request = { name: "m", models: ["m"], baseUrls: [], template: {} };
  const coordinator = await fleet.coordinator({ lease: 3, request });
  const collecting = collect(coordinator.run(numbered(40)));
  // It has 20 records at once, and sends two a second.
  await using process = start([
    ...["worker", "--redis", server.url, "-m", "m", "--base-url", upstream.baseUrl],
    ...["--api-key", "key", "-c", "20", "--max-qps", "2"],
  ]);
  while (sent.length < 3) await systemClock.sleep(20);
  process.signal("SIGSTOP");
  const before = new Set(sent);
  const end = Promise.withResolvers<void>();
  // The job must not end before the process has had its chance.
  fleet.model.onCall = (prompt) => prompt === "r39" ? end.promise : undefined;
  await fleet.worker();
  while (fleet.model.total + before.size < 40) await systemClock.sleep(20);
  process.signal("SIGCONT");
  await systemClock.sleep(2500);
  end.resolve();
  const outcomes = await collecting;
  process.signal("SIGTERM");
  await process.finished;
  const late = sent.filter((prompt) => !before.has(prompt));
  // One may have been on its way at the moment of the signal.
  assert.ok(late.length <= 1, `sent after the freeze: ${late}`);
  assert.equal(outcomes.size, 40);
});
