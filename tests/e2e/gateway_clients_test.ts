/** The packages of providers, and a browser, at `flexllm serve` in front of `flexllm mock`. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { serve } from "../../lib/runtime/http_server.ts";
import { BrowserPage, chromium } from "../support/chromium.ts";
import { flexllm, type Running, start } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** The address that a server prints when it is up. */
async function addressOf(running: Running): Promise<string> {
  while (running.process.exitCode === null) {
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(running.stdout())?.[0];
    if (address !== undefined) return address;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error((await running.finished).stderr);
}

/** Models of all formats at a mock, and settings of the gateway. */
function configuration(mock: string, serve = "") {
  return `models:
  - { id: qwen3, name: chat, base_url: "${mock}/v1", api_key: any }
  - { id: gpt-6-sol, name: responses, api: responses, base_url: "${mock}/v1", api_key: any }
  - { id: claude-opus-5, name: claude, provider: claude, base_url: "${mock}/v1", api_key: any }
  - { id: gemini-3-flash, name: gemini, provider: gemini, base_url: "${mock}/v1beta", api_key: any }
${serve}`;
}

Deno.test("the SDKs of OpenAI, Anthropic and Google reach each provider with one key", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  await using mock = start(["mock", "-p", "0", "-l", "60"]);
  const config = join(home.path, "gateway.yaml");
  writeFileSync(config, configuration(await addressOf(mock)));
  const created = await flexllm(["serve", "virtual-key", "create", "alice"], { env });
  const apiKey = created.stdout.trim();
  await using gateway = start(["serve", "--config", config, "-p", "0"], { env });
  const origin = await addressOf(gateway);
  const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: origin, apiKey, maxRetries: 0 });
  const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: origin } });
  const messages = [{ role: "user" as const, content: "Hello there" }];
  const models: string[] = [];
  for await (const { id } of openai.models.list()) models.push(id);
  assert.deepEqual(models, ["chat", "responses", "claude", "gemini"]);
  for (const model of models) {
    const texts = [
      (await openai.chat.completions.create({ model, messages })).choices[0].message.content,
      (await openai.chat.completions.stream({ model, messages }).finalChatCompletion()).choices[0]
        .message.content,
      (await openai.responses.create({ model, input: messages })).output_text,
      (await openai.responses.stream({ model, input: messages }).finalResponse()).output_text,
      await anthropic.messages.stream({ model, max_tokens: 500, messages }).finalText(),
      (await google.models.generateContent({ model, contents: "Hello there" })).text,
    ];
    for (const text of texts) assert.match(text!, /^You asked: "Hello there"/);
  }
  const stranger = new Anthropic({ baseURL: origin, apiKey: "sk-wrong", maxRetries: 0 });
  await assert.rejects(
    stranger.messages.create({ model: "claude", max_tokens: 9, messages }),
    Anthropic.AuthenticationError,
  );
  gateway.signal("SIGTERM");
  assert.equal((await gateway.finished).code, 0);
});

Deno.test({
  name: "a page in a browser calls the gateway only from a listed origin",
  ignore: chromium === undefined,
  async fn() {
    const pages = await serve(
      "127.0.0.1",
      0,
      () => new Response("<title>Chat</title>", { headers: { "content-type": "text/html" } }),
    );
    const origin = `http://127.0.0.1:${pages.port}`;
    using home = temporaryFolder();
    const env = { HOME: home.path };
    await using mock = start(["mock", "-p", "0", "-l", "60"]);
    const config = join(home.path, "gateway.yaml");
    writeFileSync(
      config,
      configuration(await addressOf(mock), `serve:\n  cors: ["${origin}"]\n`),
    );
    await using gateway = start(["serve", "--config", config, "-p", "0"], { env });
    const address = await addressOf(gateway);
    await using page = await BrowserPage.open();
    /** Calls the gateway by its three headers for keys, and reads a header of ours. */
    const ask = async () => {
      await page.evaluate(`globalThis.outcome = undefined; (async () => {
        const body = { model: "claude", max_tokens: 99, messages: [{ role: "user", content: "Hi" }] };
        const results = [];
        for (const [path, key] of [
          ["/v1/chat/completions", { authorization: "Bearer any" }],
          ["/v1/messages", { "x-api-key": "any", "anthropic-version": "2023-06-01",
            "anthropic-dangerous-direct-browser-access": "true", "x-stainless-lang": "js" }],
          ["/v1beta/models/gemini:generateContent", { "x-goog-api-key": "any" }],
        ]) {
          const sent = path.includes("beta") ? { contents: [{ parts: [{ text: "Hi" }] }] } : body;
          const response = await fetch("${address}" + path, {
            method: "POST",
            headers: { "content-type": "application/json", ...key },
            body: JSON.stringify(sent),
          });
          const text = await response.text();
          results.push(response.status + " " + (response.headers.get("x-flexllm-call-id") !== null) +
            " " + text.includes("You asked"));
        }
        const models = await fetch("${address}/v1/models", { headers: { authorization: "Bearer x" } });
        results.push(String(models.status));
        return results.join();
      })().catch(String).then((result) => globalThis.outcome = result); 0`);
      while (true) {
        const outcome = await page.evaluate("globalThis.outcome");
        if (outcome !== undefined) return String(outcome);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await page.visit(origin, 800, "light");
    assert.equal(await ask(), "200 true true,200 true true,200 true true,200");
    // The same server under another name is another origin.
    await page.visit(origin.replace("127.0.0.1", "localhost"), 800, "light");
    assert.match(await ask(), /Failed to fetch/);
    gateway.signal("SIGTERM");
    assert.equal((await gateway.finished).code, 0);
    await pages.close();
  },
});
