/** `--extra-body` with ask, chat and batch. */
import assert from "node:assert/strict";
import { flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const FLAGS = [
  ...["--extra-body", "min_p=0.05", "--extra-body", "reasoning.effort=high"],
  ...["--extra-body", 'reasoning={"summary": "auto"}', "--extra-body", "user=ada=1"],
  ...["--extra-body", '{"provider": {"order": ["a", "b"]}, "safe": null}'],
  ...["--extra-body", 'name="7"', "--extra-body", "empty=", "--extra-body", "min_p=0.1"],
];
const FIELDS = {
  min_p: 0.1,
  reasoning: { effort: "high", summary: "auto" },
  user: "ada=1",
  provider: { order: ["a", "b"] },
  safe: null,
  name: "7",
  empty: "",
};

function pick(body: Record<string, unknown>) {
  return Object.fromEntries(Object.keys(FIELDS).map((name) => [name, body[name]]));
}

Deno.test("--extra-body adds JSON values, strings, nested fields and whole objects", async () => {
  await using mock = await watchedMock();
  const server = ["--base-url", mock.baseUrl, "-m", "m"];
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"Hello"}\n');
  const runs = [
    await flexllm(["ask", "Hello", ...server, ...FLAGS]),
    await flexllm(["chat", "Hello", ...server, ...FLAGS]),
    await flexllm(["batch", input, "-o", folder.file("out.jsonl"), ...server, ...FLAGS]),
  ];
  for (const { code, stderr } of runs) assert.equal(code, 0, stderr);
  assert.equal(mock.requests.length, 3);
  for (const body of mock.requests) assert.deepEqual(pick(body), FIELDS);
});

Deno.test("a record's extra_body is merged with --extra-body and takes precedence", async () => {
  await using mock = await watchedMock();
  using folder = temporaryFolder();
  const own = { reasoning: { effort: "low" }, top_a: 1 };
  const input = folder.write(
    "in.jsonl",
    `${JSON.stringify({ q: "One" })}\n${JSON.stringify({ q: "Two", extra_body: own })}\n`,
  );
  const { code, stderr } = await flexllm([
    ...["batch", input, "-o", folder.file("out.jsonl"), "--base-url", mock.baseUrl, "-m", "m"],
    ...["-c", "1", "--extra-body", 'reasoning={"effort":"high","summary":"auto"}'],
  ]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(mock.requests.map(({ reasoning, top_a }) => [reasoning, top_a]), [
    [{ effort: "high", summary: "auto" }, undefined],
    [{ effort: "low", summary: "auto" }, 1],
  ]);
});

Deno.test("an invalid --extra-body is rejected before anything is sent", async () => {
  await using mock = await watchedMock();
  for (const text of ["min_p", "=1", "a..b=1", "{min_p: 1}"]) {
    const { code, stderr } = await flexllm([
      ...["ask", "Hello", "--base-url", mock.baseUrl, "-m", "m", "--extra-body", text],
    ]);
    assert.equal(code, 1, text);
    assert.match(stderr, /--extra-body.*Expected/);
  }
  assert.equal(mock.requests.length, 0);
});

Deno.test("a field that the request already has is an error that names it", async () => {
  await using mock = await watchedMock();
  const { code, stderr } = await flexllm([
    ...["ask", "Hello", "--base-url", mock.baseUrl, "-m", "m", "-t", "0"],
    ...["--extra-body", "temperature=1"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /temperature/);
  assert.equal(mock.requests.length, 0);
});
