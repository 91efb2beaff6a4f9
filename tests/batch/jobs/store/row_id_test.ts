import assert from "node:assert/strict";
import { loadFingerprint } from "../../../../lib/batch/journal/fingerprint.ts";
import { formatRowId, parseRowId, rowFingerprint } from "../../../../lib/batch/jobs/row_id.ts";
import { randomName } from "../../../../lib/runtime/random_name.ts";

await loadFingerprint();

const REQUEST = { body: '{"model":"m"}', model: "m", path: "/chat/completions" };

Deno.test("a row id is read as it was written, and legal with every provider", () => {
  for (const index of [0, 7, 99_999_999]) {
    for (const fingerprint of [0, 255, 0xffffffff]) {
      const id = formatRowId({ nonce: "abc0123xyz", index, fingerprint });
      assert.match(id, /^[a-zA-Z0-9_]{1,32}$/);
      assert.deepEqual(parseRowId(id), { nonce: "abc0123xyz", index, fingerprint });
    }
  }
});

Deno.test("other ids are not row ids", () => {
  const others = [
    "",
    "request-1",
    "abc0123xyz_1_0000000",
    "abc0123xyz_01_00000000",
    "ABC0123XYZ_1_00000000",
    "abc0123xyz_-1_00000000",
    "abc0123xyz_1_00000000\n",
    " abc0123xyz_1_00000000",
  ];
  for (const id of others) assert.equal(parseRowId(id), undefined, id);
});

Deno.test("the fingerprint depends on everything that is sent", () => {
  const fingerprints = [
    REQUEST,
    { ...REQUEST, body: '{"model":"n"}' },
    { ...REQUEST, model: "n" },
    { ...REQUEST, path: "/responses" },
  ].map(rowFingerprint);
  assert.equal(new Set(fingerprints).size, 4);
  assert.equal(rowFingerprint({ ...REQUEST }), fingerprints[0]);
  for (const value of fingerprints) assert.ok(Number.isInteger(value) && value < 2 ** 32);
});

Deno.test("random names use all characters and do not repeat", () => {
  const names = Array.from({ length: 2000 }, () => randomName(10));
  for (const name of names) assert.match(name, /^[a-z0-9]{10}$/);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(names.join("")).size, 36);
});
