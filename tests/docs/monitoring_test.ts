/** The page on monitoring: it lists every metric and every field of the access log. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { accessRecord } from "../../lib/gateway/observe/access_record.ts";
import { GatewayMetrics } from "../../lib/gateway/observe/metrics.ts";
import { ROOT } from "../support/cli.ts";
import { gatewayFacts, observedGateway } from "../support/gateway_facts.ts";

const PAGE = readFileSync(join(ROOT, "docs/monitoring.md"), "utf8");

Deno.test("every metric is listed", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  const { text } = await metrics.read();
  const names = Array.from(text.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name);
  const listed = Array.from(
    PAGE.matchAll(/^\| `((?:flexllm|process)_\w+)`/gm),
    ([, name]) => name,
  );
  assert.deepEqual(listed.sort(), names.sort());
});

Deno.test("every field of the access log is listed", () => {
  const fields = Object.keys(accessRecord(gatewayFacts()));
  const table = PAGE.slice(PAGE.indexOf("## Access log"));
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((row) =>
    Array.from(row.split("|")[1].matchAll(/`(\w+)`/g), ([, name]) => name)
  );
  assert.deepEqual(listed.sort(), fields.sort());
});
