/** How the records of a batch are sent, by flags and configuration. */
import assert from "node:assert/strict";
import {
  type JobFlags,
  sendingMode,
  unusedLiveFlags,
} from "../../../../commands/batch/jobs/job_settings.ts";

const NONE: JobFlags = { wait: true } as JobFlags;

function mode(flags: Partial<JobFlags>, section: Parameters<typeof sendingMode>[1] = {}) {
  return sendingMode({ ...NONE, ...flags } as JobFlags, section);
}

Deno.test("records are sent live unless a flag or the configuration says otherwise", () => {
  assert.equal(mode({}).via, "live");
  assert.equal(mode({}, { via: "provider" }).via, "provider");
  assert.equal(mode({ via: "live" }, { via: "provider" }).via, "live");
  assert.equal(mode({ via: "provider" }, { via: "live" }).via, "provider");
});

Deno.test("--export and --import need no --via provider", () => {
  assert.deepEqual({ ...mode({ export: "dir" }), settings: 0 }, {
    via: "export",
    folder: "dir",
    settings: 0,
  });
  assert.deepEqual({ ...mode({ import: ["a", "b"] }), settings: 0 }, {
    via: "import",
    paths: ["a", "b"],
    settings: 0,
  });
});

Deno.test("limits come from the configuration, and flags override it", () => {
  const jobs = { rows: 5, bytes: 1000, concurrent: 2, queued_tokens: 9, poll_interval: 60 };
  const found = mode({}, { via: "provider", jobs });
  assert.ok(found.via === "provider");
  assert.deepEqual(found.settings.limits, { rows: 5, bytes: 1000, jobs: 2, queuedTokens: 9 });
  assert.equal(found.settings.pollInterval, 60);
  const flagged = mode({ pollInterval: 5 }, { via: "provider", jobs });
  assert.ok(flagged.via === "provider");
  assert.equal(flagged.settings.pollInterval, 5);
});

Deno.test("after a deadline, nothing is sent at full price unless the user says so", () => {
  const found = mode({ via: "provider", deadline: 60 });
  assert.ok(found.via === "provider");
  assert.equal(found.settings.afterDeadline, "stop");
});

const REFUSED: [what: string, flags: Partial<JobFlags>, message: RegExp, hint: RegExp][] = [
  ["--no-wait", { wait: false }, /^--no-wait needs --via provider$/, /Add --via provider/],
  ["several", { deadline: 5, then: "live" }, /^--deadline and --then need --via/, /via: provider/],
  ["--via live", { via: "live", clean: true }, /^--clean needs --via provider$/, /--via live/],
  ["--adopt", { adopt: "x" }, /^--adopt needs --via provider$/, /Add/],
  ["--resend", { resend: true }, /^--resend needs --via provider$/, /Add/],
  ["--poll-interval", { pollInterval: 1 }, /^--poll-interval needs --via provider$/, /Add/],
  ["--then alone", { via: "provider", then: "live" }, /^--then needs --deadline$/, /--deadline 6h/],
  ["no wait", { via: "provider", wait: false, deadline: 9 }, /exclude each other/, /Remove one/],
  ["no wait, clean", { via: "provider", wait: false, clean: true }, /exclude/, /collects/],
  ["both", { via: "provider", adopt: "x", resend: true }, /exclude each other/, /existing job/],
  ["files", { export: "a", import: ["b"] }, /exclude each other/, /Export first/],
  ["export live", { export: "a", via: "live" }, /--export and --via live/, /Remove/],
  ["export", { export: "a", wait: false }, /^--no-wait has no effect with --export$/, /no jobs/],
  ["export again", { export: "a", clean: true, adopt: "x" }, /^--clean and --adopt have/, /these/],
  [
    "import",
    { import: ["a"], resend: true },
    /^--resend has no effect with --import$/,
    /the flag/,
  ],
];

for (const [what, flags, message, hint] of REFUSED) {
  Deno.test(`refused: ${what}`, () => {
    assert.throws(() => mode(flags), (error: Error & { hint?: string }) => {
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  });
}

Deno.test("flags that limit live requests are named if there are none", () => {
  const provider = mode({ via: "provider" });
  assert.equal(
    unusedLiveFlags({ concurrency: 4, maxQps: 1, adaptive: false }, provider),
    "-c, --max-qps, --no-adaptive have no effect: they only limit live requests",
  );
  assert.match(unusedLiveFlags({ concurrency: 4, adaptive: true }, provider)!, /^-c has no effect/);
  assert.equal(unusedLiveFlags({ adaptive: true }, provider), undefined);
  assert.equal(unusedLiveFlags({ concurrency: 4, adaptive: true }, { via: "live" }), undefined);
  const thenLive = mode({ via: "provider", deadline: 5, then: "live" });
  assert.equal(unusedLiveFlags({ concurrency: 4, adaptive: true }, thenLive), undefined);
});
