import assert from "node:assert/strict";
import { AbortedError } from "../../lib/errors.ts";
import { abortable } from "../../lib/runtime/abortable.ts";
import { systemClock } from "../../lib/runtime/clock.ts";

const never = new Promise<never>(() => {});

Deno.test("abortable() settles like its promise", async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(1), signal), 1);
  assert.equal(await abortable(Promise.resolve(1), undefined), 1);
  await assert.rejects(abortable(Promise.reject(new Error("failed")), signal), /failed/);
});

Deno.test("abortable() rejects when the signal is aborted, with its reason as the cause", async () => {
  const controller = new AbortController();
  const waiting = abortable(never, controller.signal);
  controller.abort("enough");
  const isAborted = (error: unknown) => error instanceof AbortedError && error.cause === "enough";
  await assert.rejects(waiting, isAborted);
  await assert.rejects(abortable(never, controller.signal), isAborted);
  // A late failure of the work must not be an unhandled rejection, which fails this test.
  await assert.rejects(abortable(Promise.reject(new Error("late")), controller.signal), isAborted);
});

Deno.test("the system clock stops sleeping when the signal is aborted", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(2 ** 40, controller.signal);
  controller.abort();
  // A timer that is still running fails this test.
  await assert.rejects(sleeping, { code: "aborted" });
  await assert.rejects(systemClock.sleep(2 ** 40, controller.signal), { code: "aborted" });
  await systemClock.sleep(-1);
});
