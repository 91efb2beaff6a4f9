/** `flexllm batch --metrics-file`. */
import assert from "node:assert/strict";
import { flexllm } from "../support/cli.ts";
import { parsePrometheus, valuesOf } from "../support/prometheus_text.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("a batch writes its metrics to a file that Prometheus can read", async () => {
  using folder = temporaryFolder();
  folder.write("in.jsonl", '{"prompt":"a"}\n{"prompt":"b"}\nnothing\n');
  const args = ["batch", "in.jsonl", "-o", "out.jsonl", "-m", "mock", "--skip-invalid"];
  const run = await flexllm([...args, "--metrics-file", "job.prom"], { cwd: folder.path });
  assert.equal(run.code, 0, run.stderr);
  const found = parsePrometheus(folder.read("job.prom"));
  assert.deepEqual(valuesOf(found, "flexllm_batch_running"), { "": 0 });
  const records = { succeeded: 2, failed: 0, restored: 0, pending: 0 };
  assert.deepEqual(valuesOf(found, "flexllm_batch_records"), records);
  assert.deepEqual(Object.values(valuesOf(found, "flexllm_requests_total")), [2]);
});

Deno.test("metrics that cannot be written give one warning, and the batch succeeds", async () => {
  using folder = temporaryFolder();
  folder.write("in.jsonl", '{"prompt":"a"}\n');
  const args = ["batch", "in.jsonl", "-o", "-", "-m", "mock", "--metrics-file", "missing/job.prom"];
  const run = await flexllm(args, { cwd: folder.path });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /warning: cannot write metrics to .*job\.prom: .*; the batch continues/);
  assert.equal(run.stderr.match(/cannot write metrics/g)?.length, 1);
});
