/** Parts that are at a provider, and what a run may do then. */
import assert from "node:assert/strict";
import {
  checkHeldParts,
  heldParts,
  otherParts,
} from "../../../../commands/batch/jobs/held_parts.ts";
import type { SendingMode } from "../../../../commands/batch/jobs/job_settings.ts";
import type { PartPhase, PartState } from "../../../../lib/batch/jobs/part_events.ts";

function part(name: string, phase: PartPhase, requested_model?: string): PartState {
  return {
    part: name,
    api: "openai",
    endpoint: "https://api.example.com/v1",
    key: "",
    model: "m",
    path: "/chat/completions",
    rows: 10,
    bytes: 5,
    sha256: "",
    prompt_tokens: 1,
    reserved: null,
    phase,
    plannedAt: 0,
    changedAt: 0,
    attempts: 1,
    requested_model,
  };
}

function mode(via: SendingMode["via"]): SendingMode {
  return { via } as SendingMode;
}

Deno.test("finished parts hold nothing, and those of other models are left alone", () => {
  const [a, b, c] = [part("a", "submitted"), part("b", "unknown", "x"), part("c", "ended", "y")];
  const parts = [a, b, c, part("d", "collected"), part("e", "abandoned", "x")];
  assert.deepEqual(heldParts(parts, [{ name: "x" }]), [a, b]);
  assert.deepEqual(otherParts(parts, [{ name: "x" }]), [c]);
});

const REFUSED: [what: string, phase: PartPhase, via: SendingMode["via"], text: RegExp][] = [
  ["a live run", "submitted", "live", /1 part of o\.jsonl is at the provider \(10 rows\): a/],
  ["a live run of an unclear part", "creating", "live", /is at the provider/],
  ["an export", "submitted", "export", /Collect it first with --via provider/],
  ["a live run of exported parts", "exported", "live", /is exported \(10 rows\)/],
];

for (const [what, phase, via, text] of REFUSED) {
  Deno.test(`refused: ${what}`, () => {
    assert.throws(
      () => checkHeldParts([part("a", phase)], "o.jsonl", mode(via), false),
      (error: Error & { hint?: string }) => text.test(`${error.message}\n${error.hint}`),
    );
  });
}

Deno.test("allowed: going on, and importing", () => {
  checkHeldParts([part("a", "submitted")], "o.jsonl", mode("provider"), false);
  checkHeldParts([part("a", "exported")], "o.jsonl", mode("import"), false);
  checkHeldParts([part("a", "exported")], "o.jsonl", mode("export"), false);
  checkHeldParts([part("a", "submitted", "x")], "o.jsonl", mode("provider"), true);
});

Deno.test("a run of several models leaves the parts of a single one to the same command", () => {
  assert.throws(
    () => checkHeldParts([part("a", "submitted")], "o.jsonl", mode("provider"), true),
    /1 part of o\.jsonl is from a run with a single model: a/,
  );
});
