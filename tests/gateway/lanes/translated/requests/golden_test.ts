/**
 * Full requests of each client format become the expected requests of each other format, and name what was left
 * out. The requests of Claude Code, Codex and Gemini CLI are shortened, but have all kinds of fields.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Json } from "../../../../../lib/json/json.ts";
import {
  CHAT,
  CLAUDE,
  type Format,
  GEMINI,
  receive,
  RESPONSES,
} from "../../../../support/serve_formats.ts";
import { ENDPOINTS, translate } from "../../../../support/translated_request.ts";

const CLIENTS = { chat: CHAT, responses: RESPONSES, claude: CLAUDE, gemini: GEMINI };
const FORMAT_OF: Record<keyof typeof ENDPOINTS, Format> = {
  openai: CHAT,
  vllm: CHAT,
  responses: RESPONSES,
  claude: CLAUDE,
  gemini: GEMINI,
};
/** The URL of a chat request, by which a server finds its operation. */
const URLS = new Map<Format, string>([
  [CHAT, "https://host/v1/chat/completions"],
  [RESPONSES, "https://host/v1/responses"],
  [CLAUDE, "https://host/v1/messages"],
  [GEMINI, "https://host/v1/models/gemini-3-pro:generateContent"],
]);

function fixture(name: string): Json {
  const path = new URL(`../../../../fixtures/gateway/requests/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Responses has no stop sequences, and refuses them. */
function withoutStop({ stop: _, ...body }: Json): Json {
  const { stopSequences: _stop, ...generationConfig } = (body.generationConfig ?? {}) as Json;
  return body.generationConfig === undefined ? body : { ...body, generationConfig };
}

for (const [client, format] of Object.entries(CLIENTS)) {
  for (const [target, to] of Object.entries(ENDPOINTS)) {
    const targetFormat = FORMAT_OF[target as keyof typeof ENDPOINTS];
    if (targetFormat === format) continue;
    Deno.test(`a full request of a ${client} client for ${target}`, () => {
      const given = fixture(client);
      const body = target === "responses" ? withoutStop(given) : given;
      const before = JSON.stringify(body);
      const translated = translate(format, body, to);
      assert.deepEqual(translated, fixture(`${client}_to_${target}`));
      assert.equal(JSON.stringify(body), before, "the client's body was changed");
      // The API accepts the request: its own checks pass.
      const url = URLS.get(targetFormat)!;
      receive(targetFormat, { url, headers: {}, body: JSON.stringify(translated.body) });
    });
  }
}

Deno.test("the same request is translated to the same bytes, which prompt caches need", () => {
  for (const [client, format] of Object.entries(CLIENTS)) {
    for (const to of [ENDPOINTS.vllm, ENDPOINTS.claude]) {
      if (FORMAT_OF[to === ENDPOINTS.vllm ? "vllm" : "claude"] === format) continue;
      const once = JSON.stringify(translate(format, fixture(client), to));
      assert.equal(JSON.stringify(translate(format, fixture(client), to)), once);
    }
  }
});
