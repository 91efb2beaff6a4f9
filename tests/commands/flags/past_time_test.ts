/** Points in the past: ages, dates and times. */
import assert from "node:assert/strict";
import { byteSize } from "../../../commands/flags/log.ts";
import { pastTime } from "../../../commands/flags/past_time.ts";

const NOW = new Date("2026-11-28T12:00").getTime();
const since = pastTime("start", () => NOW);
const until = pastTime("end", () => NOW);

Deno.test("an age counts back from now", () => {
  assert.equal(NOW - since("90m"), 5_400_000);
  assert.equal(NOW - since(" 7d "), 7 * 86_400_000);
  assert.equal(NOW - until("0s"), 0);
});

Deno.test("a date is a whole day in the local time zone", () => {
  assert.equal(since("2026-11-01"), new Date("2026-11-01T00:00").getTime());
  assert.equal(until("2026-11-01"), new Date("2026-11-02T00:00").getTime() - 1);
  assert.equal(until("2026-11-01T10:30"), new Date("2026-11-01T10:30").getTime());
  assert.equal(since("2026-11-01 10:30"), new Date("2026-11-01T10:30").getTime());
});

Deno.test("anything else is refused", () => {
  for (const text of ["", "7", "7w", "yesterday", "2026-13-01", "2026-02-30", "-3d", "2026-11"]) {
    assert.throws(() => since(text), { code: "commander.invalidArgument" }, text);
  }
});

Deno.test("sizes have decimal or binary units", () => {
  assert.deepEqual(["5", "1.5k", "50MB", "2 GiB"].map(byteSize), [5, 1500, 5e7, 2 ** 31]);
  for (const text of ["", "x", "5TB", "-1", "1e3"]) {
    assert.throws(() => byteSize(text), { code: "commander.invalidArgument" }, text);
  }
});
