import assert from "node:assert/strict";
import { cancelledBy } from "../../lib/transport/cancellation.ts";

Deno.test("a signal cancels what was not removed, in order, also what others add", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const cancelled: string[] = [];
  const add = (name: string, then?: () => void) =>
    cancelledBy(signal, {
      cancel() {
        cancelled.push(name);
        then?.();
      },
    });
  add("a", () => {
    third.remove();
    add("e");
  });
  const second = add("b");
  const third = add("c");
  add("d");
  second.remove();
  second.remove();
  controller.abort();
  assert.deepEqual(cancelled, ["a", "d", "e"]);
  controller.abort();
  assert.equal(cancelled.length, 3);
});
