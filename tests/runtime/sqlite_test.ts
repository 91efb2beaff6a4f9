import assert from "node:assert/strict";
import { ConfigurationError } from "../../lib/errors.ts";
import { loadSqlite } from "../../lib/runtime/sqlite.ts";

Deno.test("this runtime has SQLite", async () => {
  const Database = await loadSqlite();
  const database = new Database(":memory:");
  assert.deepEqual({ ...database.prepare("SELECT 1 AS one").get() }, { one: 1 });
  database.close();
});

Deno.test("a runtime without SQLite is an error that names the versions that have it", async () => {
  await assert.rejects(loadSqlite(() => false), (error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(error.message, /^(deno|bun|node) [\d.]+ has no SQLite$/);
    assert.match(error.hint!, /Node 22\.13, Bun 1\.4/);
    return true;
  });
});
