/** docs/troubleshooting.md lists every error code and shows the actual output. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { flexllm, ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PAGE = readFileSync(`${ROOT}docs/troubleshooting.md`, "utf8");

Deno.test("docs/troubleshooting.md explains every error code once", () => {
  const source = readFileSync(`${ROOT}lib/flexllm_error.ts`, "utf8");
  const union = /export type ErrorCode =([^;]+);/.exec(source)![1];
  const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code).toSorted();
  assert.ok(codes.length > 10);
  const listed = [...PAGE.matchAll(/^\| \[`(\w+)`\]\(#(\w+)\) +\|/gm)];
  assert.deepEqual(listed.map(([, code]) => code).toSorted(), codes);
  assert.deepEqual(listed.map(([, , anchor]) => anchor).toSorted(), codes);
  const headings = [...PAGE.matchAll(/^### (\w+)$/gm)].map(([, code]) => code);
  assert.deepEqual(headings.toSorted(), codes);
});

interface Reply {
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  body: string;
}

function refusal(status: number, message: string, code: string): Reply {
  return { status, body: JSON.stringify({ error: { message, type: code, code } }) };
}

/** How the servers on the page respond, by the first part of the path. Others never respond. */
const REPLIES: Record<string, Reply> = {
  "wrong-key": refusal(
    401,
    "Incorrect API key provided: sk-wrong-7890. You can find your API key in your account.",
    "invalid_api_key",
  ),
  "no-credit": refusal(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
  ),
  "busy": {
    ...refusal(429, "Rate limit reached for requests per day", "rate_limit_exceeded"),
    headers: { "retry-after": "7200" },
  },
  "no-model": refusal(
    404,
    "The model `gpt-99` does not exist or you do not have access to it.",
    "model_not_found",
  ),
  "too-long": refusal(
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
    "context_length_exceeded",
  ),
  "web-page": { type: "text/html", body: "<html><title>Welcome</title></html>" },
  "cut": { body: '{"choices":[{"index":0,"mess' },
  "blocked": { body: '{"promptFeedback":{"blockReason":"SAFETY"}}' },
  "chatty": {
    body: JSON.stringify({
      choices: [{
        index: 0,
        message: { role: "assistant", content: "Sure! It is positive." },
        finish_reason: "stop",
      }],
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    }),
  },
};

async function startServices() {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const reply = REPLIES[request.url!.split("/")[1]];
      if (reply === undefined) return;
      const { status = 200, type = "application/json", headers, body } = reply;
      response.writeHead(status, { "content-type": type, ...headers }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]() {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function configuration(port: number, dead: number): string {
  const names = [...Object.keys(REPLIES), "slow"].filter((name) => name !== "blocked");
  const models = names.map((name) => ({
    id: "gpt-99",
    name,
    base_url: `http://localhost:${port}/${name}/v1`,
    ...(name === "wrong-key" ? { api_key: "sk-wrong-7890" } : {}),
  }));
  const blocked = {
    id: "gemini-99",
    name: "blocked",
    provider: "gemini",
    base_url: `http://localhost:${port}/blocked/v1beta`,
    api_key: "none",
  };
  const away = { id: "gpt-99", name: "away", base_url: `http://localhost:${dead}/v1` };
  return JSON.stringify({ models: [...models, blocked, away] });
}

/** The commands in a block of the page, each with its output. */
function transcripts(): { command: string; output: string }[] {
  return [...PAGE.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    block.split(/^\$ /m).slice(1).map((part) => {
      const [command, ...lines] = part.trimEnd().split("\n");
      return { command, output: lines.join("\n") };
    })
  );
}

/** Splits a command line into words; double quotes group words. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

Deno.test("the page shows the errors as they are printed", async () => {
  await using services = await startServices();
  const dead = await deadPort();
  using folder = temporaryFolder();
  const config = configuration(services.port, dead);
  folder.write("config.yaml", config);
  const chatty = `  - {id: gpt-99, name: chatty, base_url: "http://localhost:${services.port}/v1"}`;
  folder.write("one.yaml", `models:\n${chatty}\n`);
  folder.write("typo.yaml", "models:\n  - id: gpt-99\n    base_ur: http://localhost:8080/v1\n");
  folder.write("mood.json", '{"type":"object","properties":{"mood":{"type":"string"}}}');
  folder.write("questions.jsonl", '{"q":"one"}\n{"q":"two"}\n');
  folder.write("others.jsonl", '{"q":"other"}\n{"q":"two"}\n');
  folder.write("broken.jsonl", '{"q":"one"}\n{"q":"two"}\nnot json\n');
  folder.write("notes.jsonl", "not a result\n");
  const ask = (args: string[]) =>
    flexllm(args, { cwd: folder.path, env: { FLEXLLM_HOME: folder.path } });
  const done = await ask(["batch", "questions.jsonl", "-o", "done.jsonl", "-m", "chatty"]);
  assert.equal(done.code, 0, done.stderr);

  const shown = transcripts();
  assert.ok(shown.length > 12);
  for (const { command, output } of shown) {
    const [name, ...args] = wordsOf(command);
    assert.equal(name, "flexllm");
    const { code, stdout, stderr } = await ask(args);
    const printed = `${stdout}${stderr}`.trimEnd()
      .replaceAll(`localhost:${services.port}`, "localhost:8080")
      .replaceAll(`localhost:${dead}`, "localhost:8089");
    assert.equal(printed, output, command);
    assert.ok(code !== 0, command);
  }
});
