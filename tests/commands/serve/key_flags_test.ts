/** The flags for the limits of virtual keys. */
import assert from "node:assert/strict";
import { describeLimits } from "../../../commands/serve/virtual_key/describe_key.ts";
import {
  changesOf,
  expiryTime,
  settingsOf,
} from "../../../commands/serve/virtual_key/key_flags.ts";
import { unknownNames } from "../../../commands/serve/virtual_key/known_names.ts";

const NOW = Date.UTC(2026, 10, 28, 12);

Deno.test("a key expires after a duration, or at the end of a day", () => {
  assert.equal(expiryTime("30d", NOW), NOW + 30 * 86_400_000);
  assert.equal(expiryTime("90m", NOW), NOW + 90 * 60_000);
  assert.equal(expiryTime("2026-12-31", NOW), Date.UTC(2027, 0, 1));
  assert.equal(expiryTime("2026-12-31T08:00:00Z", NOW), Date.UTC(2026, 11, 31, 8));
  // Still valid for the rest of the day.
  assert.equal(expiryTime("2026-11-28", NOW), Date.UTC(2026, 10, 29));
  for (const wrong of ["2026-11-27", "2026-02-30", "30", "soon", "0d", "", "200000d"]) {
    assert.throws(() => expiryTime(wrong, NOW), { code: "commander.invalidArgument" }, wrong);
  }
});

Deno.test("none stands for no limit", () => {
  assert.deepEqual(settingsOf({ rpm: "none", tpm: 5, team: "none", budgetDay: 2 }), {
    rpm: undefined,
    tpm: 5,
    concurrent: undefined,
    budget: { day: 2, month: undefined, total: undefined },
    models: undefined,
    expiresAt: undefined,
    team: undefined,
  });
  assert.deepEqual(changesOf({ rpm: "none", model: ["none"], expires: "none", team: "none" }), {
    rpm: null,
    models: null,
    expiresAt: null,
    team: null,
  });
});

Deno.test("a change of one budget keeps the others", () => {
  const budget = { day: 1, month: 10 };
  assert.deepEqual(changesOf({ budgetMonth: 20 }, budget), { budget: { day: 1, month: 20 } });
  assert.deepEqual(changesOf({ budgetDay: "none" }, budget), { budget: { month: 10 } });
  assert.deepEqual(changesOf({ budgetTotal: "none" }, { total: 5 }), { budget: null });
  assert.deepEqual(changesOf({ rpm: 3 }, budget), { rpm: 3 });
});

Deno.test("limits are described in one line", () => {
  const key = { rpm: 60, budget: { day: 1, month: 20.5 }, models: ["fast"], team: "web" };
  assert.equal(
    describeLimits({ ...key, expiresAt: Date.UTC(2027, 0, 1) }),
    "$1.00 a day, $20.50 a month, 60 rpm, only fast, team web, until 2026-12-31",
  );
  assert.equal(
    describeLimits({ expiresAt: Date.UTC(2027, 0, 1, 14, 5, 30) }),
    "until 2027-01-01 14:05 UTC",
  );
  assert.equal(describeLimits({}), "");
});

Deno.test("models and teams that the configuration does not have are reported", () => {
  const value = {
    serve: { routes: { fast: "mock" }, teams: { research: {} } },
    models: [{ id: "m" }],
  };
  const warnings = unknownNames({ value }, {
    models: ["fast", "fa*", "fsat", "m"],
    team: "reserch",
  });
  assert.deepEqual(warnings, [
    'no configured model or route matches "fsat"; did you mean fast?',
    'serve.teams has no limits for the team "reserch"; did you mean research?',
  ]);
});
