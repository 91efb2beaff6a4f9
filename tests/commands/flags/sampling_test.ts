/** Sampling options: their names in files, and as flags. */
import assert from "node:assert/strict";
import { command as askFlags } from "../../../commands/ask/flags.ts";
import { batchFlags } from "../../../commands/batch/flags.ts";
import { command as chatFlags } from "../../../commands/chat/flags.ts";
import { samplingFlags, samplingOf } from "../../../commands/flags/sampling.ts";
import { samplingFromFields, samplingToFields } from "../../../lib/chat/sampling_fields.ts";
import { samplingEntries } from "../../../lib/config/sampling_schema.ts";

const ALL = {
  temperature: 0.5,
  topP: 0.9,
  topK: 40,
  maxTokens: 100,
  thinking: "high",
  stop: ["\n", "END"],
  seed: -7,
  presencePenalty: -1.5,
  frequencyPenalty: 2,
} as const;

const ARGUMENTS = [
  ...["-t", "0.5", "--top-p", "0.9", "--top-k", "40", "--max-tokens", "100"],
  ...["--thinking", "high", "--stop", "\n", "--stop", "END", "--seed", "-7"],
  ...["--presence-penalty", "-1.5", "--frequency-penalty", "2"],
];

Deno.test("ask, chat and batch take every sampling option as a flag", () => {
  for (const command of [askFlags(), chatFlags(), batchFlags()]) {
    command.parse(ARGUMENTS, { from: "user" });
    assert.deepEqual(samplingOf(command.opts()), ALL, command.name());
  }
});

Deno.test("sampling options round-trip through their names in files", () => {
  const fields = samplingToFields({ ...ALL });
  assert.deepEqual(Object.keys(fields).toSorted(), Object.keys(samplingEntries).toSorted());
  assert.deepEqual(samplingFromFields(fields), ALL);
  assert.equal(Object.keys(samplingFlags).length, Object.keys(samplingEntries).length);
});

Deno.test("null and absent fields set nothing, and other fields are ignored", () => {
  const fields = { temperature: null, seed: 0, model: "m" };
  assert.deepEqual(samplingFromFields(fields), { seed: 0 });
  assert.deepEqual(samplingToFields({ temperature: undefined, seed: 0 }), { seed: 0 });
});
