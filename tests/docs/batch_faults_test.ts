/** docs/mock.md names every fault of the mock's batch APIs. */
import assert from "node:assert/strict";
import { BATCH_FAULT_KINDS } from "../../lib/mock/batch/fault_kinds.ts";

Deno.test("docs/mock.md lists every kind of fault", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/mock.md", import.meta.url));
  for (const name of Object.keys(BATCH_FAULT_KINDS)) {
    assert.ok(text.includes(`\`${name}`), name);
  }
});
