/** Detecting the wire format of a request, and matching routes. */
import assert from "node:assert/strict";
import { anthropicServer } from "../../lib/protocols/anthropic/serve.ts";
import { geminiServer } from "../../lib/protocols/gemini/serve.ts";
import { chatServer } from "../../lib/protocols/openai_chat/serve.ts";
import { responsesServer } from "../../lib/protocols/openai_responses/serve.ts";
import { loadServers, routePattern, serverFor } from "../../lib/protocols/servers.ts";
import { FORMATS } from "../support/serve_formats.ts";

Deno.test("a request on a shared path belongs to the format of its path, headers or query", async () => {
  const servers = await loadServers();
  const cases: [path: string, headers: HeadersInit, server: typeof chatServer][] = [
    ["/v1/models", {}, chatServer],
    ["/v1/unknown", { authorization: "Bearer x" }, chatServer],
    ["/v1/models", { "anthropic-version": "2023-06-01" }, anthropicServer],
    ["/v1/messages/batches", {}, anthropicServer],
    ["/v1/models", { "x-goog-api-key": "x" }, geminiServer],
    ["/v1/models?key=x", {}, geminiServer],
    ["/v1beta/models", {}, geminiServer],
    ["/models/m:generateContent", {}, geminiServer],
    ["/v1/responses/resp_1", {}, responsesServer],
  ];
  for (const [path, headers, server] of cases) {
    assert.equal(serverFor(servers, new Request(`http://host${path}`, { headers })), server, path);
  }
});

Deno.test("a route's pattern finds the model, which may contain slashes", () => {
  const pattern = routePattern("/models/{model}:generateContent");
  assert.equal(pattern.exec("/models/org/a.b:generateContent")?.groups?.model, "org/a.b");
  assert.equal(pattern.exec("/models/a:countTokens"), null);
  assert.ok(routePattern("/chat/completions").test("/chat/completions"));
  assert.ok(!routePattern("/chat/completions").test("/chat/completions/1"));
});

Deno.test("each protocol loads its server", async () => {
  for (const { client, server } of FORMATS) assert.equal(await client.serve?.(), server);
});
