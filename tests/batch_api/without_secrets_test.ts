/** Servers that repeat what they were sent: jobs are read as they are, and show no secrets. */
import assert from "node:assert/strict";
import { withoutSecrets } from "../../lib/batch_api/without_secrets.ts";
import { MalformedResponseError } from "../../lib/errors.ts";
import { secretsOf } from "../../lib/redact.ts";
import { startScriptedHttpServer } from "../support/http_server.ts";
import { batchApi, endpointOf, inputOf, stored } from "./setup.ts";

const KEY = "sk-test-123456";

function job(fields: object) {
  return {
    id: "batch_1",
    input_file_id: "file-in",
    created_at: 1_790_000_000,
    metadata: { flexllm: "abc0123456" },
    ...fields,
  };
}

Deno.test("headers whose values are words of the protocol do not change what a job says", async () => {
  const done = job({ status: "completed", output_file_id: "file-out" });
  await using server = await startScriptedHttpServer({
    "POST /v1/batches": { json: job({ status: "validating" }) },
    "GET /v1/batches": { json: { data: [done], has_more: false } },
    "GET /v1/batches/batch_1": { json: done },
  });
  const headers = {
    "x-outcome": "completed",
    "x-client": "flexllm",
    "x-first-state": "validating",
    "x-file": "file-in",
  };
  const endpoint = { ...endpointOf(`${server.origin}/v1`, "openai"), headers };
  const { api: plain, http } = batchApi(endpoint);
  const api = withoutSecrets(plain, secretsOf(endpoint));
  const input = inputOf("{}\n", { uploaded: { file: "file-in" } });
  const created = await api.create(http, input);
  assert.deepEqual([created.status, created.nonce], ["validating", "abc0123456"]);
  const found = await api.find(http, input, 1_790_000_000_000);
  assert.deepEqual(found.map(({ id, inputFile }) => [id, inputFile]), [["batch_1", "file-in"]]);
  const { status, output } = await api.get(http, "batch_1");
  assert.deepEqual([status, output?.output], ["completed", "file-out"]);
});

Deno.test("a server that repeats the key: the problems and the state of a job don't show it", async () => {
  const code = `bad_key_${KEY}`;
  const problem = { code, message: `Bearer ${KEY} was refused`, line: 3, param: null };
  await using server = await startScriptedHttpServer({
    "GET /v1/batches/batch_1": {
      json: job({ status: "failed", errors: { object: "list", data: [problem] } }),
    },
    "GET /v1/batches/batch_2": { json: job({ status: `waiting for ${KEY}` }) },
  });
  const endpoint = endpointOf(`${server.origin}/v1`, "openai");
  const { api: plain, http } = batchApi(endpoint);
  const api = withoutSecrets(plain, secretsOf(endpoint));
  assert.deepEqual(stored((await api.get(http, "batch_1")).problems), [
    { message: "Bearer [key removed] was refused", code: "bad_key_[key removed]", line: 3 },
  ]);
  const { status, nativeStatus } = await api.get(http, "batch_2");
  assert.deepEqual([status, nativeStatus], ["running", "waiting for [key removed]"]);
});

Deno.test("an API without secrets has the members that it had, bound to it", async () => {
  const endpoint = endpointOf("http://127.0.0.1/v1", "openai");
  const { api: plain, http } = batchApi(endpoint);
  const api = withoutSecrets(plain, [KEY]);
  for (const name of ["name", "foundBy", "limits", "poll"] as const) {
    assert.equal(api[name], plain[name]);
  }
  for (const name of ["fill", "cancel", "clean", "needsUpload", "upload"] as const) {
    assert.equal(typeof api[name], typeof plain[name], name);
  }
  const { encodeRow } = api;
  assert.match(encodeRow("a", { body: "{}", model: "m", path: "/chat/completions" }), /"a"/);
  const refusing = {
    ...plain,
    upload: () => Promise.reject(new MalformedResponseError(`no file for ${KEY}`)),
  };
  await assert.rejects(withoutSecrets(refusing, [KEY]).upload!(http, inputOf("{}\n")), {
    message: "no file for [key removed]",
  });
});
