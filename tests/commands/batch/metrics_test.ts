/** Which file the metrics of a batch go to, and what it says about several runs. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { type BatchSummary, emptySummary } from "../../../lib/batch/summary.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { BatchMetricsFile } from "../../../commands/batch/metrics.ts";
import { metricsFile } from "../../../commands/batch/metrics_setting.ts";
import { parsePrometheus, valuesOf } from "../../support/prometheus_text.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("the flag takes precedence over the configuration, whose paths start at its file", () => {
  using folder = temporaryFolder();
  const path = folder.write("flexllm_config.yaml", "batch:\n  metrics_file: out/a.prom\n");
  const config = loadConfig({ FLEXLLM_HOME: folder.file("home") }, folder.path, path);
  assert.equal(metricsFile(config, {}), resolve(folder.path, "out/a.prom"));
  assert.equal(metricsFile(config, { metricsFile: "b.prom" }), resolve("b.prom"));
});

Deno.test("a file that cannot be used is reported with where it is set", () => {
  using folder = temporaryFolder();
  const path = folder.write("flexllm_config.yaml", "batch:\n  metrics_file: a.txt\n");
  const config = loadConfig({ FLEXLLM_HOME: folder.file("home") }, folder.path, path);
  assert.throws(() => metricsFile(config, {}), /flexllm_config\.yaml:2.*must end in \.prom/);
  assert.throws(
    () => metricsFile(config, { metricsFile: "a.jsonl" }),
    /--metrics-file: the file must end in \.prom/,
  );
});

Deno.test("a second run adds to the counts of the first", async () => {
  using folder = temporaryFolder();
  const file = folder.file("job.prom");
  const metrics = await BatchMetricsFile.open({
    file,
    check: { total: 10, pending: 9 },
    budget: undefined,
    spentBefore: 0,
    isCacheOn: false,
    hasEndpoints: true,
  });
  const runs = (fields: Partial<BatchSummary>) => ({
    summary: () => ({ ...emptySummary(), ...fields }),
    endpoints: [],
  });
  metrics.follow(runs({ restored: 1, succeeded: 4, failed: 1, cost: 1, errors: { timeout: 1 } }));
  metrics.follow(runs({ restored: 6, succeeded: 2, cost: 2 }));
  await metrics[Symbol.asyncDispose]();
  const found = parsePrometheus(folder.read("job.prom"));
  const records = { succeeded: 6, failed: 1, restored: 1, pending: 2 };
  assert.deepEqual(valuesOf(found, "flexllm_batch_records"), records);
  assert.deepEqual(valuesOf(found, "flexllm_batch_failed_records"), { timeout: 1 });
  assert.deepEqual(valuesOf(found, "flexllm_batch_spent_usd"), { "": 3 });
  assert.deepEqual(valuesOf(found, "flexllm_batch_running"), { "": 0 });
});
