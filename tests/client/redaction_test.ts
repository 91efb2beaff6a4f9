/** A server that echoes the request: no error contains any part of the key. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type ClientOptions, LLMClient, type Message } from "../../mod.ts";
import type { FlexLLMError } from "../../mod.ts";
import { createMockApp } from "../../mod.ts";
import { redact } from "../../lib/redact.ts";
import { queryCredits } from "../../lib/services/credits/credits.ts";
import {
  EVENT_STREAM_HEAD,
  httpAnswer,
  type RawRequest,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const KEY = "sk-secret-key-that-must-not-leak";
const PASSWORD = "password-that-must-not-leak";
const HEADERS = { "x-other-key": PASSWORD, "proxy-authorization": `Basic ${PASSWORD}` };

async function failure(work: Promise<unknown>): Promise<FlexLLMError> {
  return await work.then(() => assert.fail("expected an error"), (error) => error);
}

/** All text in an error, including its causes and hidden fields. */
function allOf(error: unknown): string {
  const texts: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) {
    texts.push(inspect(e, { depth: 10, showHidden: true }), e.stack ?? "", JSON.stringify(e));
  }
  return texts.join("\n");
}

function assertClean(text: string): void {
  for (const secret of [KEY, PASSWORD]) {
    assert.ok(!text.includes(secret), text);
    // Nor any part of it, where a text was truncated.
    assert.ok(!text.includes(secret.slice(0, 12)), text);
  }
}

/** Everything in a request that a server can echo. */
function echo({ headers }: RawRequest): string {
  return [...headers].map(([name, value]) => `${name}=${value}`).join(" ");
}

/** The ways in which a server can echo it, each as a complete answer. */
const ANSWERS: Record<string, (shown: string) => string> = {
  "an error": (shown) =>
    httpAnswer(400, JSON.stringify({ error: { message: shown, code: shown.slice(0, 400) } })),
  "a refusal": (shown) => httpAnswer(401, JSON.stringify({ error: { message: shown } })),
  "an error page": (shown) => httpAnswer(500, `<html><p>${shown}</p></html>`),
  "a web page instead of an answer": (shown) =>
    httpAnswer(200, `<html><p>${"y".repeat(90)} ${shown}</p></html>`, {
      "content-type": "text/html",
    }),
  "invalid JSON": (shown) => httpAnswer(200, `{"a": ${shown}`),
  "an error with status 200": (shown) =>
    httpAnswer(200, JSON.stringify({ error: { message: shown, code: "x" } })),
  "an error in a stream": (shown) =>
    `${EVENT_STREAM_HEAD}${textEvent("Hi")}data: ${
      JSON.stringify({ error: { message: shown } })
    }\n\n`,
  "invalid JSON in a stream": (shown) =>
    `${EVENT_STREAM_HEAD}${textEvent("Hi")}data: {"a": ${shown}\n\n`,
  "a redirect": (shown) =>
    httpAnswer(302, shown, { location: `https://host/?all=${encodeURIComponent(shown)}` }),
  "the path of a redirect": (shown) => httpAnswer(307, "", { location: `https://host/${shown}` }),
  "a redirect with an encoded path": (shown) =>
    httpAnswer(308, "", { location: `https://host/${encodeURIComponent(shown)}` }),
  "the request id of an error": (shown) =>
    httpAnswer(500, JSON.stringify({ error: { message: "no" } }), { "x-request-id": shown }),
  "the request id of an error with status 200": (shown) =>
    httpAnswer(200, JSON.stringify({ error: { message: "no" } }), { "request-id": shown }),
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  Deno.test(`the key is removed from ${what}`, async () => {
    await using server = await startRawServer((socket, request) => {
      socket.end(answer(echo(request)));
    });
    for (const provider of ["openai", "claude", "gemini"] as const) {
      const options: ClientOptions = {
        provider,
        baseUrl: server.baseUrl,
        model: "m",
        apiKey: KEY,
        headers: HEADERS,
        retryTimes: 0,
      };
      await using client = new LLMClient(options);
      const works = [
        client.chatCompletions(HELLO),
        client.chatCompletionsStream(HELLO).finalResult(),
        client.models(),
      ];
      const ended = await Promise.allSettled(works);
      const errors = ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
      assert.ok(errors.length > 0);
      errors.forEach((error) => assertClean(allOf(error)));
      const balance = queryCredits({ ...options, provider: "deepseek" }, { timeout: 60, now: 0 });
      assertClean(allOf(await failure(balance)));
    }
    assert.ok(server.requests.every(({ headers }) => headers.get("x-other-key") === PASSWORD));
  });
}

Deno.test("a rejected base URL is shown without its secrets", async () => {
  const urls = [
    `http://user:${PASSWORD}@host/v1`,
    `http://user:${PASSWORD}@host:99999/v1`,
    `http://user:a@${PASSWORD}@host:99999/v1`,
    `http://user:a/${PASSWORD}@host:99999/v1`,
    `user:${PASSWORD}@host/v1`,
    `ftp://user:${PASSWORD}@host/v1`,
    `host/v1?key=${PASSWORD}`,
    `http://host/v1#${PASSWORD}`,
    `http:///v1?key=${PASSWORD}`,
  ];
  for (const baseUrl of urls) {
    const error = await failure(
      (async () => await new LLMClient({ baseUrl, model: "m" }).chatCompletions(HELLO))(),
    );
    assert.equal(error.code, "configuration");
    assertClean(`${allOf(error)} ${error.hint}`);
  }
});

Deno.test("the query of a base URL is not shown", async () => {
  const urls = [
    `https://nowhere.openai.azure.com/openai/deployments/x?api-version=1&key=${PASSWORD}`,
    `https://proxy.example/v1?api_key=${PASSWORD}`,
  ];
  for (const baseUrl of urls) {
    const answers = [
      (url: string) => Promise.reject(new TypeError(`error sending request for url (${url})`)),
      (url: string) => Promise.resolve(new Response(`no route for ${url}`, { status: 400 })),
    ];
    for (const fetch of answers) {
      await using client = new LLMClient({
        baseUrl,
        apiKey: KEY,
        model: "m",
        retryTimes: 0,
        fetch,
      });
      for (
        const work of [
          client.chatCompletions(HELLO),
          client.chatCompletionsStream(HELLO).finalResult(),
        ]
      ) {
        assertClean(allOf(await failure(work)));
      }
    }
  }
});

Deno.test("the mock does not record keys", async () => {
  const app = createMockApp();
  const fetch = (url: string, init: RequestInit) => app.fetch(new Request(url, init));
  for (const provider of ["openai", "claude", "gemini"] as const) {
    const baseUrl = `http://mock.test/${provider === "gemini" ? "v1beta" : "v1"}`;
    const options = { provider, baseUrl, apiKey: KEY, headers: HEADERS, model: "m", fetch };
    await using client = new LLMClient(options);
    await client.chatCompletions(HELLO);
  }
  const body = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Hello" }] }] });
  const query = `key=${KEY}&api_key=${KEY}&access_token=${KEY}`;
  await fetch(`http://mock.test/v1beta/models/m:generateContent?${query}`, {
    method: "POST",
    headers: { cookie: KEY, "x-auth-token": KEY, "ocp-apim-subscription-key": KEY },
    body,
  });
  const log = await (await fetch("http://mock.test/__mock/requests", {})).text();
  assert.equal(JSON.parse(log).requests.length, 4);
  assertClean(log);
});

Deno.test("a key is removed from texts in which URLs and JSON write it differently", () => {
  const key = 'quoted"key\\with/signs';
  for (
    const text of [key, JSON.stringify({ key }), `https://host/?key=${encodeURIComponent(key)}`]
  ) {
    const shown = redact(text, key);
    assert.match(shown, /\[key removed\]/);
    assert.doesNotMatch(shown, /quoted|signs/);
  }
});
