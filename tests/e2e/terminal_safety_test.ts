/** Text from servers and files never controls the terminal, whichever way it is printed. */
import assert from "node:assert/strict";
import { Pty } from "../support/pty.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const EVIL = "a\u009b31m\x7f\u202eb\x1b]0;title\x07\u2066\x1b[8mhidden";
/** C1 controls, DEL, bidi controls, and the sequences that set the window title and conceal text. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b\]0;title|\x1b\[8m/;

const OK = httpAnswer(200, completion(EVIL).replace('"test-model"', JSON.stringify(EVIL)));
const MODELS = httpAnswer(200, JSON.stringify({ object: "list", data: [{ id: EVIL }] }));
const BAD = httpAnswer(400, JSON.stringify({ error: { message: EVIL } }));

Deno.test("JSON, answers, errors, notes and lists contain no control characters on a terminal", async () => {
  using home = temporaryFolder();
  await using server = await startRawServer((socket, { path, body }) =>
    socket.write(path.endsWith("/models") ? MODELS : body.includes("fail") ? BAD : OK)
  );
  const input = home.write("in.jsonl", '{"q":"fail"}\n{"q":"Hi"}\n');
  const result = {
    index: 0,
    output: null,
    status: "error",
    error: EVIL,
    error_code: EVIL,
    input: [],
  };
  const results = home.write("results.jsonl", `${JSON.stringify(result)}\n`);
  home.write(
    "evil.yaml",
    `default: ${JSON.stringify(EVIL)}\nmodels: [{id: ${JSON.stringify(EVIL)}}]\n`,
  );
  const to = ["--base-url", server.baseUrl, "-m", "m", "--no-save"];
  const runs: [args: string[], code: number][] = [
    [["ask", "Hi", "--json", ...to], 0],
    [["ask", "Hi", "--verbose", ...to], 0],
    [["ask", "Hi", "--raw", ...to], 0],
    [["ask", `--${EVIL}`], 1],
    [["ask", "Hi", "-f", EVIL, ...to], 1],
    [[`m${EVIL}`], 1],
    [["template", "show", EVIL], 1],
    [["keys", "set", EVIL], 1],
    [["ask", "fail", ...to], 3],
    [["ask", "Hi", "--base-url", server.baseUrl, "-m", EVIL, "--verbose"], 0],
    [["models", "--base-url", server.baseUrl], 0],
    [["models", "--base-url", server.baseUrl, "--json"], 0],
    [["list", "--config", home.file("evil.yaml")], 0],
    [["test", "--base-url", server.baseUrl, "-m", EVIL], 0],
    [["batch", input, "-o", home.file("out.jsonl"), "--base-url", server.baseUrl, "-m", "m"], 3],
    [["results", results, "--failed"], 0],
    [["results", results, "--failed", "--json"], 0],
  ];
  for (const [args, code] of runs) {
    await using terminal = new Pty(args, { home: home.path });
    assert.equal(await terminal.exitCode(), code, `${args}: ${terminal.output}`);
    assert.doesNotMatch(terminal.output, UNSAFE, args.join(" "));
  }
});
