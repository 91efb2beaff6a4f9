/** What a gateway returns to the others cannot be used here before the reply. */
import assert from "node:assert/strict";
import { SharedBucket } from "../../../lib/gateway/access/shared/shared_bucket.ts";
import type { RateFleet } from "../../../lib/gateway/access/shared/shared_limit.ts";
import { SharedSlots } from "../../../lib/gateway/access/shared/shared_slots.ts";

const FLEET: RateFleet = { isShared: true, downFor: 0, size: 2, share: 1 / 2, touch: () => {} };

/** Wants, gets and uses slots. */
function slotsInUse(count: number): SharedSlots {
  const slots = new SharedSlots(FLEET, "key");
  slots.isFree(3);
  for (let i = 0; i < count; i++) slots.want(3, 0);
  const order = slots.order(0, false)!;
  slots.load(order, count, 3 - count, 0);
  for (let i = 0; i < count; i++) slots.take();
  return slots;
}

Deno.test("a slot that is being returned cannot be taken", () => {
  const slots = slotsInUse(3);
  slots.release();
  const order = slots.order(100, false)!;
  assert.deepEqual([order.used, order.target], [2, 2]);
  // Another gateway may have it by now.
  assert(!slots.isFree(3));
  slots.load(order, 2, 1, 110);
  assert(!slots.isFree(3));
});

Deno.test("requests of a bucket that are being returned cannot be taken", () => {
  const bucket = new SharedBucket(FLEET, "key", "rpm", 60, 0);
  bucket.want(3, 60);
  bucket.load(bucket.order(60, false), 3, 57, 70);
  assert.equal(bucket.delay(3, 80), 0);
  // Nothing has been used: all of it is returned.
  const order = bucket.order(600, true);
  assert.equal(order.target, 0);
  assert.notEqual(bucket.delay(1, 605), 0);
  bucket.load(order, 0, 60, 610);
  assert(bucket.want(1, 620));
});
