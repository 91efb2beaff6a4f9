import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { openPartStore } from "../../../../lib/batch/jobs/open_part_store.ts";
import { decodePartRecord, encodePartRecord } from "../../../../lib/batch/jobs/part_record_line.ts";
import type { IndexedRecord } from "../../../../lib/batch/executor.ts";
import { fingerprint, loadFingerprint } from "../../../../lib/batch/journal/fingerprint.ts";
import {
  encodeRecord,
  inputIdentity,
  successRecord,
} from "../../../../lib/batch/journal/result_line.ts";
import type { Message } from "../../../../lib/chat/messages.ts";
import type { RecordOptions } from "../../../../lib/chat/record_options.ts";
import { JournalError } from "../../../../lib/errors.ts";
import { parseExact } from "../../../../lib/json/json.ts";
import { chatResult } from "../../../support/chat_result.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";
import { countedNonces, planPart, recordAt, rowOf } from "./part_fixtures.ts";

await loadFingerprint();

function opened(output: string) {
  return openPartStore(output, { nonce: countedNonces() });
}

/** Any UTF-16, lone surrogates and line separators included. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "a\udfff\n", "\u2028\u2029\r\n", '"row":"', "__proto__", ""),
);

/** Numbers as an input file has them, some of which no double represents. */
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.constantFrom("1669700650467246081", "1.10", "1e400", "-0").map(parseExact),
);

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(text.filter((name) => name !== "__proto__"), tie("value"), { maxKeys: 3 }),
})).object as fc.Arbitrary<Record<string, unknown>>;

const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "user", "developer"), content: text }),
  fc.record({
    role: fc.constant("user"),
    content: fc.array(fc.oneof(
      fc.record({ type: fc.constant("text"), text }),
      fc.record({
        type: fc.constant("image_url"),
        image_url: fc.record({
          url: fc.constantFrom("photos/é.png", "data:image/png;base64,iVBORw0KGgo="),
        }),
      }),
    )),
  }),
  fc.record({
    role: fc.constant("assistant"),
    content: fc.constant(null),
    tool_calls: fc.array(fc.record({
      id: text,
      type: fc.constant("function"),
      function: fc.record({ name: text, arguments: text }),
    })),
    providerMessage: fc.record({ format: fc.constant("claude"), content: json }),
  }),
  // The name of the field in version 0.1.
  fc.record({ role: fc.constant("assistant"), content: text, native: json }),
  fc.record({ role: fc.constant("tool"), tool_call_id: text, content: text }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Message>;

const options = fc.record({
  model: text,
  temperature: fc.double({ min: 0, max: 2 }),
  topP: fc.constantFrom(undefined, 0.5),
  maxTokens: fc.nat(),
  thinking: fc.constantFrom(true, "high", 100),
  stop: fc.array(text),
  toolChoice: fc.constant("auto"),
  tools: fc.array(fc.record({ type: fc.constant("function"), function: json })),
  responseFormat: fc.constant({ type: "json_object" }),
  extraBody: json,
}, { requiredKeys: [] }) as fc.Arbitrary<unknown> as fc.Arbitrary<RecordOptions>;

const record = fc.record({
  index: fc.nat(100_000_000),
  messages: fc.array(message),
  metadata: json,
  options,
  contentHash: fc.constantFrom("0123456789abc", "h"),
  location: text,
}, { requiredKeys: ["index", "messages"] }) as fc.Arbitrary<IndexedRecord>;

function resultLine(record: IndexedRecord): string {
  return encodeRecord(successRecord(record, chatResult("an answer")));
}

Deno.test("a record that comes back gives the same result line and has the same identity", () => {
  fc.assert(
    fc.property(record, (original) => {
      const line = encodePartRecord("part000001_0_00000000", original);
      assert.ok(!line.includes("\n"));
      const restored = decodePartRecord(line)!;
      assert.equal(resultLine(restored), resultLine(original));
      assert.equal(
        fingerprint(inputIdentity(restored)),
        fingerprint(inputIdentity(original)),
      );
      assert.equal(restored.location ?? "", original.location ?? "");
    }),
    { seed: 17, numRuns: 500 },
  );
});

Deno.test("records are found by row id, line and index, in any order of indexes", async () => {
  using folder = temporaryFolder();
  using store = await opened(folder.file("out.jsonl"));
  const indexes = [4, 900, 2, 77, 1_000_000];
  const part = planPart(store, indexes.map((index) => recordAt(index)));
  using records = store.records(part);
  assert.deepEqual(records.indexes, indexes);
  for (const [i, index] of indexes.entries()) {
    assert.deepEqual(records.get(index), recordAt(index));
    assert.deepEqual(records.atLine(i + 1), recordAt(index));
    const id = store.draft().rowId(recordAt(index), rowOf(recordAt(index)));
    const own = `part000001${id.slice(10)}`;
    assert.deepEqual(records.find(own), recordAt(index));
    assert.equal(records.find(id), undefined, "the id of another part");
    assert.equal(records.find(own.slice(0, -8) + "00000000"), undefined, "another request");
  }
  for (const line of [0, -1, 1.5, 6, NaN]) assert.equal(records.atLine(line), undefined);
  for (const index of [0, 3, 5, 1_000_001]) assert.equal(records.get(index), undefined);
  assert.equal(records.find("part000001_3_00000000"), undefined);
  assert.equal(records.find("request-1"), undefined);
});

Deno.test("damaged or missing records are an error that names the provider's job", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  using store = await opened(output);
  planPart(store, [recordAt(0), recordAt(1)]);
  const part = store.log("part000001", {
    type: "submitted",
    job: { id: "batch_1", status: "queued" },
  });
  const path = `${output}.parts/part000001.records.jsonl`;
  const whole = readFileSync(path, "utf8");
  const [first] = whole.split("\n");
  const cases: [string, RegExp][] = [
    [`${first}\n`, /has 1 records instead of 2/],
    [whole + first + "\n", /has more than 2 records/],
    [`${first}\nnonsense\n`, /records\.jsonl:2 is not a record of its part/],
    [whole.trimEnd(), /records\.jsonl:2 is not a record of its part/],
    [whole.replace("part000001_1", "part000002_1"), /records\.jsonl:2 is not a record/],
  ];
  for (const [content, pattern] of cases) {
    writeFileSync(path, content);
    assert.throws(() => store.records(part), (error) => {
      assert.ok(error instanceof JournalError);
      assert.match(error.message, pattern);
      assert.match(error.hint ?? "", /batch_1/);
      return true;
    });
  }
  for (const rows of [1e6, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    assert.throws(() => store.records({ ...part, rows }), /has fewer than \d+ records/);
  }
  writeFileSync(path, whole.replace('"messages":', '"messages";'));
  using records = store.records(part);
  assert.throws(() => records.get(0), /records\.jsonl:1 is not a record of its part/);
  assert.deepEqual(records.get(1), recordAt(1));
  rmSync(path);
  assert.throws(() => store.records(part), /is missing/);
});
