/** `flexllm test`: checks whether a model works, and explains why not. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { startMockServer } from "../../lib/mock/server.ts";
import { flexllm } from "../support/cli.ts";
import {
  completion,
  EVENT_STREAM_HEAD,
  FINISH_EVENT,
  httpAnswer,
  type RawRequest,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-0123456789abcdefghij";

/** The lines of the steps, split into words. */
function steps(stdout: string): string[][] {
  return stdout.split("\n").filter((line) => line.startsWith("  "))
    .map((line) => line.trim().split(/ {2,}/));
}

/** The first two words of each step. */
function states(stdout: string): string {
  return steps(stdout).map(([name, state]) => `${name} ${state}`).join(", ");
}

Deno.test("test checks connection, key, completion and streaming", async () => {
  await using server = await startRawServer((socket, { path, body }) => {
    if (path !== "/v1/chat/completions") return socket.write(httpAnswer(404, "{}"));
    if (!JSON.parse(body).stream) return socket.write(httpAnswer(200, completion("OK")));
    socket.end(`${EVENT_STREAM_HEAD}${textEvent("O")}${textEvent("K")}${FINISH_EVENT}`);
  });
  const args = ["test", "-m", "m", "--base-url", server.baseUrl, "--api-key", KEY];
  const { code, stdout, stderr } = await flexllm(args);
  assert.deepEqual([code, stderr], [0, ""]);
  const [head] = stdout.split("\n");
  assert.equal(head, `m at ${server.baseUrl}, key …ghij from --api-key`);
  const shown = steps(stdout);
  assert.deepEqual(shown.map(([name, state]) => `${name} ${state}`), [
    "connection ok",
    "authentication ok",
    "answer ok",
    "streaming ok",
  ]);
  assert.match(shown[2].slice(2).join(" "), /^\d+\.\d\d s "OK", 3 tokens in, 2 out$/);
  assert.match(shown[3].slice(2).join(" "), /^\d+\.\d\d s first token after \d+\.\d\d s$/);
  const [probe, answer] = server.requests;
  assert.equal(probe.headers.get("authorization"), undefined, "the key is not for the connection");
  assert.equal(answer.headers.get("authorization"), `Bearer ${KEY}`);

  const json = JSON.parse((await flexllm([...args, "--json"])).stdout);
  assert.deepEqual([json.ok, json.base_url], [true, server.baseUrl]);
  assert.equal(json.steps[2].content, "OK");
  assert.equal(typeof json.steps[3].first_token_seconds, "number");
});

Deno.test("test reports what failed, why, and what to do", async () => {
  type Answer = (socket: Socket, request: RawRequest) => void;
  const always = (status: number, body: string): Answer => (socket) =>
    socket.write(httpAnswer(status, body));
  const cases: [Answer, string, RegExp][] = [
    [
      always(401, `{"error":{"message":"bad key ${KEY}"}}`),
      "connection ok, authentication failed, answer skipped, streaming skipped",
      /bad key \[key removed\]\n[^]*\nCheck the API key/,
    ],
    [
      (socket, { path }) =>
        socket.write(
          path === "/v1/models"
            ? httpAnswer(200, '{"data":[{"id":"one"},{"id":"two"}]}')
            : httpAnswer(404, '{"error":{"message":"no model m"}}'),
        ),
      "connection ok, authentication skipped, answer failed, streaming skipped",
      /404: no model m\n[^]*\nThe server offers one, two\. Check the model's name/,
    ],
    [
      always(429, '{"error":{"message":"slow down"}}'),
      "connection ok, authentication skipped, answer failed, streaming skipped",
      /slow down\n[^]*\nWait a while, then test again\./,
    ],
    [
      (socket, { body }) =>
        socket.write(
          body.includes('"stream":true')
            ? httpAnswer(400, '{"error":{"message":"no streams here"}}')
            : httpAnswer(200, completion("OK")),
        ),
      "connection ok, authentication ok, answer ok, streaming failed",
      /no streams here/,
    ],
    [
      (socket) => socket.destroy(),
      "connection failed, authentication skipped, answer skipped, streaming skipped",
      /closed before the answer was complete .*\n[^]*\nCheck the base URL, your network/,
    ],
  ];
  for (const [answer, expected, pattern] of cases) {
    await using server = await startRawServer(answer);
    const args = ["test", "-m", "m", "--base-url", server.baseUrl, "--api-key", KEY];
    const { code, stdout, stderr } = await flexllm(args);
    assert.deepEqual([code, stderr, states(stdout)], [3, "", expected]);
    assert.match(stdout, pattern);
    assert.ok(!stdout.includes(KEY));
  }
});

Deno.test("test of an unreachable local server suggests starting it", async () => {
  const server = await startMockServer({ port: 0 });
  await server.close();
  const { code, stdout } = await flexllm(["test", "-m", "m", "--base-url", server.baseUrl]);
  assert.equal(code, 3);
  assert.match(stdout, /m at .*, no key\n {2}connection +failed .*connection refused/);
  assert.match(stdout, /\nStart the server, or fix the port in the base URL\.\n$/);
});

Deno.test("test --all tests every model and reports each failure", async () => {
  await using good = await startMockServer({ port: 0 });
  await using bad = await startRawServer((socket) => {
    socket.write(httpAnswer(401, '{"error":{"message":"bad key"}}'));
  });
  using folder = temporaryFolder();
  const file = folder.write(
    "c.yaml",
    `models:
  - {id: one, base_url: "${good.baseUrl}"}
  - {id: two, base_url: "${bad.baseUrl}", api_key: short}
  - {id: three, base_url: "${good.baseUrl}", api_key: "\${NOT_SET}"}
  - {id: four, provider: mock}
`,
  );
  const args = ["test", "--all", "--config", file];
  const { code, stdout } = await flexllm(args);
  assert.equal(code, 3);
  const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(rows[0], ["name", "server", "connection", "key", "answer", "first token"]);
  assert.deepEqual(rows[1].slice(0, 2), ["one", good.baseUrl]);
  assert.deepEqual(rows[2].slice(3), ["failed", "-", "-"]);
  assert.match(stdout, /\ntwo: .*bad key\n {2}Check the API key/);
  assert.match(
    stdout,
    /\nthree: .*c\.yaml:4:\d+: the environment variable NOT_SET is not set\n {2}Set it/,
  );
  assert.match(stdout, /\n2 of 4 models work\.\n$/);
  const all = JSON.parse((await flexllm([...args, "--json"])).stdout);
  assert.deepEqual(all.map(({ ok }: { ok: boolean }) => ok), [true, false, false, true]);
  assert.equal(all[1].error.code, "authentication");
});

Deno.test("test rejects conflicting flags and unknown models", async () => {
  const both = await flexllm(["test", "--all", "-m", "x"]);
  assert.equal(both.code, 1);
  assert.match(both.stderr, /--all cannot be combined with --model or --base-url/);
  assert.match(
    (await flexllm(["test", "--all"])).stderr,
    /no model is configured: there is no configuration file\nRun `flexllm init`/,
  );
  assert.match((await flexllm(["test", "-m", "x"])).stderr, /the model "x" is not configured/);
});
