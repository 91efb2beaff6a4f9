/** `flexllm results`: counts the records of a result file and explains failures. */
import assert from "node:assert/strict";
import { flexllm } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function failed(index: number, error_code: string | undefined, error: string) {
  return { index, output: null, status: "error", input: [], error, error_code };
}

function succeeded(index: number) {
  return { index, output: "Yes.", status: "success", input: [] };
}

function lines(records: unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

const RECORDS = [
  succeeded(0),
  ...[7, 3, 9, 1, 4, 8].map((i) =>
    failed(i, "http", `the server answered 400: ${9000 + i} tokens`)
  ),
  failed(2, "http", "the server answered 400: no such\tfield"),
  failed(5, "timeout", "no complete answer within 120 s"),
  failed(6, undefined, "an old file"),
  // Retried: the last line of a record counts.
  failed(10, "timeout", "no complete answer within 120 s"),
  succeeded(10),
  succeeded(11),
  failed(11, "timeout", "no complete answer within 60 s"),
];

Deno.test("results counts the records of a file, each once", async () => {
  using folder = temporaryFolder();
  // A kill tore the last line.
  const file = folder.write("out put.jsonl", `${lines(RECORDS)}\n{"index":12,"out`);
  const { code, stdout, stderr } = await flexllm(["results", file]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(stdout.split("\n"), [
    "12 records: 2 succeeded, 10 failed",
    "  7 × http",
    "  2 × timeout",
    "  1 × unknown",
    `For their messages: flexllm results '${file}' --failed`,
    "",
  ]);
});

Deno.test("--failed groups failures by kind and message, and names the command that retries them", async () => {
  using folder = temporaryFolder();
  const file = folder.write("out.jsonl", lines(RECORDS));
  const { code, stdout } = await flexllm(["results", file, "--failed"]);
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n"), [
    "12 records: 2 succeeded, 10 failed",
    "",
    "6 × http: the server answered 400: 9007 tokens",
    "    records 1, 3, 4, 7, 8, …",
    "2 × timeout: no complete answer within 120 s",
    "    records 5, 11",
    "1 × http: the server answered 400: no such field",
    "    record 2",
    "1 × unknown: an old file",
    "    record 6",
    "",
    `To retry them: flexllm batch INPUT -o ${file} --only-failed`,
    "Use the INPUT and the flags, such as -m, of the run that wrote the file.",
    "",
  ]);
  const json = JSON.parse((await flexllm(["results", file, "--failed", "--json"])).stdout);
  const { failures, ...rest } = json;
  assert.deepEqual(rest, {
    ...{ file, total: 12, succeeded: 2, failed: 10 },
    errors: { http: 7, timeout: 2, unknown: 1 },
    retry: `flexllm batch INPUT -o ${file} --only-failed`,
  });
  assert.deepEqual(failures[1], {
    ...{ error_code: "timeout", message: "no complete answer within 120 s" },
    ...{ count: 2, examples: [5, 11] },
  });
  const plain = JSON.parse((await flexllm(["results", file, "--json"])).stdout);
  assert.deepEqual([plain.failures, plain.retry], [undefined, undefined]);
});

Deno.test("files without failures, without records, or of another kind", async () => {
  using folder = temporaryFolder();
  const good = folder.write("good.jsonl", lines([succeeded(0)]));
  assert.equal(
    (await flexllm(["results", good, "--failed"])).stdout,
    "1 record: 1 succeeded, 0 failed\n",
  );
  const empty = folder.write("empty.jsonl", "");
  assert.equal((await flexllm(["results", empty])).stdout, "0 records: 0 succeeded, 0 failed\n");
  const cases: [file: string, problem: RegExp][] = [
    [folder.write("other.jsonl", '{"q":"Hi"}\n'), /other\.jsonl:1 is not a result of flexllm/],
    [
      folder.write("text.txt", "Hello\nworld\n"),
      /text\.txt:1 is not a result of flexllm: it is not/,
    ],
    [folder.file("missing.jsonl"), /cannot read .*missing\.jsonl: /],
    [folder.path, /cannot read /],
  ];
  for (const [file, problem] of cases) {
    const { code, stderr } = await flexllm(["results", file]);
    assert.equal(code, 1);
    assert.match(stderr, problem);
  }
});

Deno.test("a batch with failures names the command, and that command works", async () => {
  using folder = temporaryFolder();
  await using server = await startRawServer((socket, { body }) =>
    socket.write(
      body.includes("bad") ? httpAnswer(400, '{"error":{"message":"no"}}') : httpAnswer(
        200,
        completion("Yes."),
      ),
    )
  );
  const input = folder.write("in.jsonl", '{"q":"good"}\n{"q":"bad"}\n');
  const { stderr } = await flexllm([
    ...["batch", input, "-o", folder.file("out.jsonl"), "--base-url", server.baseUrl, "-m", "m"],
  ]);
  const [, args] = /^To see why records failed: flexllm (.*)$/m.exec(stderr)!;
  const { stdout } = await flexllm(args.split(" "));
  assert.match(stdout, /^1 × http: the server answered 400: no\n {4}record 1$/m);
});
