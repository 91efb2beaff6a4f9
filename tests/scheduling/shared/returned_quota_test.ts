/** What a process returns to the others cannot be used before the reply: another process may have it by then. */
import assert from "node:assert/strict";
import { MEMBER_ARGS } from "../../../lib/scheduling/shared/members_script.ts";
import { SharedSlots } from "../../../lib/scheduling/shared/shared_slots.ts";
import { SharedTokens } from "../../../lib/scheduling/shared/shared_tokens.ts";
import { StubConnection } from "../../support/stub_connection.ts";

const OPTIONS = { onStoreLoss: "divide" as const, onChange: () => {} };

Deno.test("SharedTokens: tokens that are being returned cannot be used", async () => {
  const stub = new StubConnection();
  let waiting = 5;
  const options = { ...OPTIONS, waiting: () => waiting };
  const limit = new SharedTokens(stub.asConnection, { group: "g", perMinute: 60_000 }, options);
  const demand = { prompt: 100, maxCompletion: 0 };
  limit.nextAt(0, demand);
  await stub.reply(1, "1000", "1000", 0, "0", "1000");
  assert.equal(limit.nextAt(0, demand), -Infinity, "it has tokens");
  // Nothing waits any more: they are returned.
  waiting = 0;
  const returned = limit.join();
  const [inFlight, free] = stub.args.slice(MEMBER_ARGS + 3);
  assert.deepEqual([inFlight, free], [0, 0]);
  assert.notEqual(limit.nextAt(0, demand), -Infinity, "another process may have them");
  await stub.reply(1, "0", "0", 0, "0", "0");
  await returned;
  stub.isUp = false;
  await limit.close();
});

Deno.test("SharedTokens: what may be used before the reply is reported", async () => {
  const stub = new StubConnection();
  const options = { ...OPTIONS, waiting: () => 1 };
  const limit = new SharedTokens(stub.asConnection, { group: "g", perMinute: 60_000 }, options);
  limit.nextAt(0, { prompt: 100, maxCompletion: 0 });
  await stub.reply(1, "100", "100", 0, "0", "100");
  // A longer request needs more than there is.
  limit.nextAt(0, { prompt: 5000, maxCompletion: 0 });
  await stub.sent();
  const [inFlight, free] = stub.args.slice(MEMBER_ARGS + 3) as number[];
  const short = { prompt: 100, maxCompletion: 0 };
  assert.equal(limit.nextAt(0, short), -Infinity);
  limit.take(0, short);
  assert.equal(inFlight + free, 100);
  await stub.reply(1, "0", "0", 250, "0", "100");
  assert.notEqual(limit.nextAt(0, short), -Infinity, "the rest was not granted");
  stub.isUp = false;
  await limit.close();
});

Deno.test("SharedSlots: a slot that may be used before the reply is reported", async () => {
  const stub = new StubConnection();
  let waiting = 3;
  const options = { ...OPTIONS, waiting: () => waiting };
  const slots = new SharedSlots(stub.asConnection, { group: "g", max: 3 }, options);
  slots.isAvailable();
  await stub.reply(1, 3, 0);
  waiting = 0;
  const returned = slots.join();
  const [, inUse] = stub.args.slice(MEMBER_ARGS) as number[];
  let used = 0;
  while (slots.isAvailable()) {
    slots.take();
    used++;
  }
  assert(used <= inUse, `${used} in use, ${inUse} reported`);
  await stub.reply(1, 0, 0);
  await returned;
  for (; used > 0; used--) slots.release();
  assert(!slots.isAvailable());
  stub.isUp = false;
  await slots.close();
});
