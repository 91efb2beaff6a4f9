import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { flexllm, start } from "../support/cli.ts";
import {
  completion,
  EVENT_STREAM_HEAD,
  FINISH_EVENT,
  httpAnswer,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

Deno.test("ask answers a prompt without any configuration", async () => {
  const { code, stdout, stderr } = await flexllm(["ask", "What is Python?", "-m", "mock"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^You asked: "What is Python\?".*\n$/s);
});

Deno.test("ask prepends piped text to the prompt", async () => {
  await using mock = await watchedMock();
  const flags = ["--base-url", mock.baseUrl, "-m", "m", "-s", "Be brief.", "-t", "0.3"];
  await flexllm(["ask", "summarize", ...flags], { stdin: "A long article.\n" });
  await flexllm(["ask", ...flags], { stdin: "Just this." });
  const [both, piped] = mock.requests;
  assert.deepEqual(both.messages, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "A long article.\n\nsummarize" },
  ]);
  assert.equal(both.temperature, 0.3);
  assert.equal(piped.messages[1].content, "Just this.");
});

Deno.test("ask --json prints an object with usage", async () => {
  const { code, stdout } = await flexllm([
    "ask",
    "Hi",
    "-m",
    "mock",
    "--json",
    "--max-tokens",
    "3",
  ]);
  assert.equal(code, 0);
  const { content, model, finish_reason, usage } = JSON.parse(stdout);
  assert.deepEqual([content, model, finish_reason], ['You asked: "', "mock", "length"]);
  assert.equal(usage.completion_tokens, 3);
});

Deno.test("ask prints the answer as it arrives", async () => {
  let sendRest = () => {};
  await using server = await startRawServer((socket) => {
    socket.write(`${EVENT_STREAM_HEAD}${textEvent("One, ")}`);
    sendRest = () => socket.end(`${textEvent("two.")}${FINISH_EVENT}data: [DONE]\n\n`);
  });
  await using running = start(["ask", "Hi", "-m", "m", "--base-url", server.baseUrl]);
  // The server sends the rest only after the first part has been printed.
  running.process.stdout!.on("data", () => running.stdout() === "One, " && sendRest());
  const { code, stdout } = await running.finished;
  assert.deepEqual([code, stdout], [0, "One, two.\n"]);
});

Deno.test("ask reports why it waits, and fails after --max-wait", async () => {
  const body = '{"error":{"message":"Too many requests."}}';
  const headers = { "content-type": "application/json", "retry-after": "1" };
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(429, body, headers))
  );
  const args = ["ask", "Hi", "-m", "m", "--base-url", server.baseUrl, "--max-wait", "6"];
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^(Waiting \d s after \d attempts: rate limited by the server\n)+error: .*429.*\n/,
  );
  assert.equal(server.requests.length > 2, true);
});

Deno.test("ask without a prompt explains how to pass one", async () => {
  const { code, stderr } = await flexllm(["ask", "-m", "mock"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: no prompt was given\nPass one/);
});

Deno.test("ask without a configured model names the next step", async () => {
  const { code, stderr } = await flexllm(["ask", "Hi"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: no model is configured: there is no configuration file\nRun `flexllm init`, try -m mock.*\n$/,
  );
});

Deno.test("an error is one line with a hint; --verbose adds the stack trace", async () => {
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(401, '{"error":{"message":"Incorrect API key provided: sk-secret-1"}}'))
  );
  const args = ["ask", "Hi", "-m", "m", "--base-url", server.baseUrl, "--api-key", "sk-secret-1"];
  const plain = await flexllm(args);
  assert.equal(plain.code, 1);
  assert.equal(
    plain.stderr,
    "error: the server answered 401: Incorrect API key provided: [key removed]\n" +
      "Check the API key (FLEXLLM_API_KEY, --api-key, or api_key in the configuration).\n",
  );
  const verbose = await flexllm([...args, "--verbose"]);
  assert.match(verbose.stderr, /AuthenticationError/);
  assert.match(verbose.stderr, /model: m at http/);
  assert.ok(!verbose.stderr.includes("sk-secret-1"), verbose.stderr);
});

Deno.test("failed requests and usage errors have different exit codes", async () => {
  const args = ["ask", "Hi", "-m", "m", "--retry-times", "0", "--base-url"];
  const server = await startRawServer(() => {});
  await server[Symbol.asyncDispose]();
  const gone = await flexllm([...args, server.baseUrl]);
  assert.deepEqual([gone.code, gone.stdout], [3, ""]);
  assert.match(gone.stderr, /^error: connection refused \(http:\/\/127\.0\.0\.1:\d+\/v1.*\)\n/);
  assert.match(
    gone.stderr,
    /\nCheck that the server is running, and the base URL with its port.\n$/,
  );
  const wrong = await flexllm([...args, "127.0.0.1:9/v1"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Did you mean http:\/\/127\.0\.0\.1:9\/v1\?/);
});

Deno.test("a truncated stream prints what arrived, then the error", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
  await using server = await startRawServer((socket) =>
    socket.end(`${head}data: {"choices":[{"delta":{"content":"Half an"}}]}\n\n`)
  );
  const { code, stdout, stderr } = await flexllm([
    "ask",
    "Hi",
    "-m",
    "m",
    "--base-url",
    server.baseUrl,
  ]);
  assert.deepEqual([code, stdout], [3, "Half an\n"]);
  assert.match(stderr, /the stream ended before the answer was complete/);
});

Deno.test("the model comes from the configuration file or the environment", async () => {
  await using mock = await watchedMock();
  using folder = temporaryFolder();
  folder.write(
    "flexllm_config.yaml",
    `default: fast\nmodels:\n  - {id: org/fast-1, name: fast, base_url: "${mock.baseUrl}"}\n`,
  );
  await flexllm(["ask", "one"], { cwd: folder.path });
  const env = { FLEXLLM_BASE_URL: mock.baseUrl, FLEXLLM_MODEL: "from-env" };
  await flexllm(["ask", "two"], { env });
  assert.deepEqual(mock.requests.map(({ model }) => model), ["org/fast-1", "from-env"]);
  folder.write("flexllm_config.yaml", "modles: []\n");
  const { code, stderr } = await flexllm(["ask", "x"], { cwd: folder.path });
  assert.equal(code, 1);
  assert.match(stderr, /flexllm_config\.yaml:1:1: unknown field "modles": did you mean "models"\?/);
});

Deno.test("each configured provider is addressed in its own wire format", async () => {
  await using mock = await watchedMock({ length: 60 });
  using folder = temporaryFolder();
  const beta = mock.baseUrl.replace("/v1", "/v1beta");
  folder.write(
    "flexllm_config.yaml",
    `models:
  - {id: claude-opus-5, name: c, provider: claude, base_url: "${mock.baseUrl}", api_key: k}
  - {id: gemini-3-flash, name: g, provider: gemini, base_url: "${beta}", api_key: k}
  - {id: gpt-6-sol, name: r, provider: openai, api: responses, base_url: "${mock.baseUrl}", api_key: k}
`,
  );
  folder.write("in.jsonl", '{"q":"one"}\n');
  for (const model of ["c", "g", "r"]) {
    const asked = await flexllm(["ask", "Hello", "-m", model, "--max-tokens", "100"], {
      cwd: folder.path,
    });
    assert.equal(asked.code, 0, asked.stderr);
    assert.match(asked.stdout, /^You asked: "Hello"/);
    const args = ["batch", "in.jsonl", "-o", `${model}.jsonl`, "-m", model];
    assert.equal((await flexllm(args, { cwd: folder.path })).code, 0);
  }
  assert.deepEqual([...new Set(mock.paths)], [
    "/v1/messages",
    "/v1beta/models/gemini-3-flash:streamGenerateContent",
    "/v1beta/models/gemini-3-flash:generateContent",
    "/v1/responses",
  ]);
});

Deno.test("ask --continue continues the last conversation of ask or chat", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  await using mock = await watchedMock({ length: 30 });
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  await flexllm(["ask", "one", ...flags, "-s", "Be brief."], { env });
  await flexllm(["ask", "not saved", ...flags, "--no-save"], { env });
  await flexllm(["ask", "--continue", "two"], { env });
  await flexllm(["chat", "--continue", "three"], { env });
  await flexllm(["ask", "--continue", "four", "-s", "Talk."], { env });
  const { messages, model } = mock.requests.at(-1);
  assert.equal(model, "m");
  // deno-lint-ignore no-explicit-any
  const said = messages.map(({ role, content }: any) => role === "assistant" ? role : content);
  assert.deepEqual(said, [
    "Talk.",
    ...["one", "assistant", "two", "assistant", "three", "assistant"],
    "four",
  ]);
  const nothing = await flexllm(["ask", "--continue", "x", "-m", "mock"]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /there is no conversation to continue/);
});

Deno.test("ask answers even if the conversation cannot be saved", async () => {
  using folder = temporaryFolder();
  folder.write("conversations", "not a folder");
  const env = { FLEXLLM_HOME: folder.path };
  const { code, stdout, stderr } = await flexllm(["ask", "Hi", "-m", "mock"], { env });
  assert.equal(code, 0);
  assert.match(stdout, /^You asked: "Hi"/);
  assert.match(
    stderr,
    /^warning: could not save the conversation: .*\(use --no-save to hide this warning\)\n$/,
  );
});

Deno.test("ask -f puts text and images before the prompt", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  folder.write("a.txt", "Text A.\n");
  writeFileSync(folder.file("b.png"), "\x89PNG\r\n\x1a\n0000", "latin1");
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  const args = ["ask", "-f", "a.txt", "-f", "b.png", "Compare.", ...flags];
  const { code } = await flexllm(args, { cwd: folder.path, stdin: "piped" });
  assert.equal(code, 0);
  const [first, image, last] = mock.requests[0].messages[0].content;
  assert.deepEqual(first, { type: "text", text: '<file name="a.txt">\nText A.\n</file>' });
  assert.match(image.image_url.url, /^data:image\/png;base64,/);
  assert.deepEqual(last, { type: "text", text: "piped\n\nCompare." });
  const missing = await flexllm(["ask", "-f", "c.txt", "x", ...flags], { cwd: folder.path });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^error: cannot read c\.txt: it does not exist\n/);
  assert.equal(mock.requests.length, 1);
});

Deno.test("ask -f attaches PDFs and audio, and refuses pipes and devices", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  folder.write("a.pdf", "%PDF-1.7\n");
  folder.write("b.mp3", "ID3");
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  const args = ["ask", "-f", "a.pdf", "-f", "b.mp3", "Compare.", ...flags];
  const { code, stderr } = await flexllm(args, { cwd: folder.path });
  assert.equal(code, 0, stderr);
  const file_data = `data:application/pdf;base64,${btoa("%PDF-1.7\n")}`;
  assert.deepEqual(mock.requests[0].messages[0].content, [
    { type: "file", file: { file_data, filename: "a.pdf" } },
    { type: "input_audio", input_audio: { data: btoa("ID3"), format: "mp3" } },
    { type: "text", text: "Compare." },
  ]);
  if (Deno.build.os === "windows") return;
  execFileSync("mkfifo", [folder.file("pipe")]);
  for (const [path, kind] of [["pipe", "a pipe"], ["/dev/zero", "a device"]]) {
    const refused = await flexllm(["ask", "-f", path, "x", ...flags], { cwd: folder.path });
    assert.equal(refused.code, 1);
    assert.ok(refused.stderr.includes(`cannot read ${path}: it is ${kind}, not a file`));
  }
});

Deno.test("files are downloaded from the local network only if that is allowed", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  const png = "\x89PNG\r\n\x1a\n0000";
  await using files = await startRawServer((socket) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${png.length}\r\n\r\n`;
    socket.write(Buffer.from(head + png, "latin1"));
  });
  const baseUrl = mock.baseUrl.replace("/v1", "/v1beta");
  const configured = `models: [{id: g, provider: gemini, base_url: "${baseUrl}", api_key: k}]\n`;
  folder.write("c.yaml", configured);
  folder.write("allowed.yaml", `${configured}allow_private_urls: true\n`);
  const ask = async (...flags: string[]) => {
    const args = ["ask", "What?", "-m", "g", "-f", `${files.baseUrl}/a.png`, ...flags];
    return await flexllm(args, { cwd: folder.path });
  };
  const refused = await ask("--config", "c.yaml");
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /127\.0\.0\.1 is this machine or in the local network\n.*: --allow-private-urls\.\n$/,
  );
  assert.deepEqual([files.requests.length, mock.requests.length], [0, 0]);
  for (const flags of [["c.yaml", "--allow-private-urls"], ["allowed.yaml"]]) {
    const { code, stderr } = await ask("--config", ...flags);
    assert.equal(code, 0, stderr);
  }
  assert.equal(files.requests.length, 2);
  const { inlineData } = mock.requests[1].contents[0].parts[0];
  assert.deepEqual(inlineData, { mimeType: "image/png", data: btoa(png) });
});

Deno.test("ask --schema prints only the value", async () => {
  using folder = temporaryFolder();
  const schema = folder.write(
    "river.json",
    '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}',
  );
  const args = ["ask", "A river", "-m", "mock", "--schema", schema];
  const { code, stdout, stderr } = await flexllm(args);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(typeof JSON.parse(stdout).name, "string");
  const several = JSON.parse((await flexllm([...args, "-n", "2"])).stdout);
  assert.equal(several.length, 2);
  const whole = JSON.parse((await flexllm([...args, "--json"])).stdout);
  assert.deepEqual(Object.keys(whole.parsed), ["name"]);
  assert.equal(whole.model, "mock");
});

Deno.test("ask --schema fails if no attempt matches the schema", async () => {
  using folder = temporaryFolder();
  const schema = folder.write("s.json", '{"type":"object","required":["name"]}');
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, completion("{}")))
  );
  const flags = ["-m", "m", "--base-url", server.baseUrl, "--schema-retries", "1"];
  const { code, stdout, stderr } = await flexllm(["ask", "x", "--schema", schema, ...flags]);
  assert.deepEqual([code, stdout], [3, ""]);
  assert.match(stderr, /^error: the answer does not match the schema/);
  assert.equal(server.requests.length, 2);
});

Deno.test("ask -n requests several answers", async () => {
  await using mock = await watchedMock({ length: 30 });
  const args = ["ask", "Hi", "-m", "m", "--base-url", mock.baseUrl, "-n", "3"];
  const plain = await flexllm(args);
  assert.match(plain.stdout, /^(You asked: "Hi".*\n\n){2}You asked: "Hi".*\n$/);
  assert.equal(mock.requests.length, 3);
  const { stdout } = await flexllm([...args, "--json"]);
  assert.equal(JSON.parse(stdout).length, 3);
});

Deno.test("ask --thinking turns thinking on", async () => {
  await using mock = await watchedMock({ length: 30 });
  const args = ["ask", "Hi", "-m", "m", "--base-url", mock.baseUrl, "--thinking"];
  const { stdout } = await flexllm([...args, "on", "--json"]);
  assert.match(JSON.parse(stdout).thinking, /^The user asks something/);
  const plain = await flexllm([...args, "on"]);
  assert.match(plain.stdout, /^You asked/);
  const wrong = await flexllm([...args, "much"]);
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stderr,
    /Expected on, off, minimal, low, medium, high, xhigh, max or a number of tokens/,
  );
});

Deno.test("a tool call is reported instead of an empty answer", async () => {
  const calls = [{ name: "get_weather", arguments: { city: "Oslo" } }];
  await using mock = await watchedMock({ responses: [{ toolCalls: calls }] });
  const { code, stderr } = await flexllm(["ask", "Hi", "-m", "m", "--base-url", mock.baseUrl]);
  assert.deepEqual([code, stderr], [0, 'The model calls get_weather({"city":"Oslo"}).\n']);
});
