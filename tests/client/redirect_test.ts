/** Redirects never send keys or prompts to another host or port. */
import assert from "node:assert/strict";
import { LLMClient, type Message } from "../../mod.ts";
import type { FlexLLMError } from "../../mod.ts";
import { queryCredits } from "../../lib/services/credits/credits.ts";
import { updatePrices } from "../../lib/pricing/update_prices.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { completion, httpAnswer, type RawServer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const KEY = "sk-secret-key-that-must-not-leak";
const STATUSES = [301, 302, 303, 307, 308];

async function failure(work: Promise<unknown>): Promise<FlexLLMError> {
  return await work.then(() => assert.fail("expected an error"), (error) => error);
}

function redirecting(status: number, location: string): Promise<RawServer> {
  return startRawServer((socket) => socket.write(httpAnswer(status, "", { location })));
}

for (const provider of ["openai", "claude", "gemini"] as const) {
  Deno.test(`no redirect is followed with a key for ${provider}`, async () => {
    await using other = await startRawServer((socket) =>
      socket.write(httpAnswer(200, completion("stolen")))
    );
    const { port, pathname } = new URL(other.baseUrl);
    const places = [other.baseUrl, `http://localhost:${port}${pathname}`, `//127.0.0.1:${port}/v1`];
    for (const status of STATUSES) {
      for (const place of places) {
        await using server = await redirecting(status, place);
        await using client = new LLMClient({
          provider,
          baseUrl: server.baseUrl,
          apiKey: KEY,
          headers: { "x-other-key": KEY },
          model: "m",
        });
        const works = [
          client.chatCompletions(HELLO),
          client.chatCompletionsStream(HELLO).finalResult(),
          client.models(),
        ];
        for (const error of await Promise.all(works.map(failure))) {
          assert.match(
            error.message,
            new RegExp(`answered ${status} and redirects to .*:${port}/v1`),
          );
          assert.equal(error.retryable, false);
        }
        assert.equal(server.requests.length, 3, "and it is not tried again");
      }
    }
    assert.equal(other.requests.length, 0);
  });
}

Deno.test("requests for balances and prices follow no redirects either", async () => {
  await using other = await startRawServer((socket) => socket.write(httpAnswer(200, "{}")));
  using folder = temporaryFolder();
  for (const status of STATUSES) {
    await using server = await redirecting(status, other.baseUrl);
    const endpoint = { provider: "deepseek", baseUrl: server.baseUrl, apiKey: KEY } as const;
    const works = [
      queryCredits(endpoint, { timeout: 60, now: 0 }),
      updatePrices(folder.file("prices.json"), server.baseUrl, defaultFetch),
    ];
    for (const { message } of await Promise.all(works.map(failure))) {
      assert.match(message, new RegExp(`${status}`));
    }
  }
  assert.equal(other.requests.length, 0);
});

Deno.test("the target of a redirect is shown without its secrets", async () => {
  await using server = await redirecting(307, `https://user:${KEY}@host/v1?key=${KEY}#${KEY}`);
  await using client = new LLMClient({ baseUrl: server.baseUrl, apiKey: KEY, model: "m" });
  const error = await failure(client.chatCompletions(HELLO));
  assert.match(error.message, /redirects to https:\/\/host\/v1$/);
});
