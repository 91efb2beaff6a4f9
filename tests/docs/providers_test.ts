/** docs/providers.md lists every service. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { service, SERVICE_NAMES } from "../../lib/services/services.ts";
import { ROOT } from "../support/cli.ts";

Deno.test("docs/providers.md lists every service", () => {
  const page = readFileSync(join(ROOT, "docs/providers.md"), "utf8");
  const rows = page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const name of SERVICE_NAMES) {
    const { baseUrl, keyVariable } = service(name);
    const row = rows.find(([, cell]) => cell === `\`${name}\``);
    assert.ok(row !== undefined, name);
    if (baseUrl !== "") assert.equal(row[2], baseUrl);
    assert.equal(row[3], keyVariable === undefined ? "" : `\`${keyVariable}\``);
  }
});
