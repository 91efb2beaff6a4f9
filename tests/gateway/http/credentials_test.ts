/** Who may call the gateway: keys in requests, web pages, and the operator's pages. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import { isSameSecret } from "../../../lib/gateway/http/admin_access.ts";
import { type GatewayRequest, HttpGateway } from "../../support/http_gateway.ts";

const HI = { model: "model", messages: [{ role: "user", content: "Hi" }] };
const CHAT = "/v1/chat/completions";

async function withKey() {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { models: ["model"] });
  return { access, secret };
}

Deno.test("takes the key from every place in which clients send one, and never passes it on", async () => {
  const { access, secret } = await withKey();
  await using gateway = new HttpGateway({ access });
  const places: Record<string, string>[] = [
    { authorization: `Bearer ${secret}` },
    { authorization: `bearer  ${secret} ` },
    { "x-api-key": secret },
    { "x-goog-api-key": secret },
    { "api-key": secret },
    { authorization: `Bearer ${secret}`, "x-api-key": secret },
  ];
  for (const headers of places) {
    assert.equal((await gateway.send(CHAT, { headers, body: HI })).status, 200);
  }
  assert.equal((await gateway.send(`${CHAT}?key=${secret}`, { body: HI })).status, 200);
  for (const { url, headers, text } of gateway.sent) {
    const all = JSON.stringify([url, [...headers], text]);
    assert(!all.includes(secret), all);
    assert.equal(headers.get("authorization"), "Bearer sk-provider-secret");
  }
  assert(!JSON.stringify(gateway.facts).includes(secret));
  assert(gateway.facts.every(({ key }) => key === "alice"));
});

Deno.test("refuses missing, wrong and contradicting keys in the client's format", async () => {
  const { access, secret } = await withKey();
  await using gateway = new HttpGateway({ access });
  const chat = await gateway.error(CHAT, { body: HI });
  assert.deepEqual([chat.status, chat.error.type], [401, "invalid_request_error"]);
  const anthropic = await gateway.error("/v1/messages", {
    body: HI,
    headers: { "x-api-key": "no" },
  });
  assert.deepEqual([anthropic.status, anthropic.error.type], [401, "authentication_error"]);
  const gemini = await gateway.error("/v1beta/models/model:generateContent?key=no", { body: {} });
  assert.deepEqual([gemini.status, gemini.error.status], [401, "UNAUTHENTICATED"]);
  const headers = { authorization: "Bearer other", "x-api-key": secret };
  const both = await gateway.error(CHAT, { body: HI, headers });
  assert.equal(both.status, 401);
  assert.match(String(both.error.message), /different API keys in authorization and x-api-key/);
  assert(!JSON.stringify(both.error).includes(secret));
  const refused = await gateway.send(CHAT, { body: HI });
  assert.equal(refused.headers.get("x-should-retry"), "false");
  // The body is not even read.
  const body = new ReadableStream({ pull: () => assert.fail("the body was read") }, {
    highWaterMark: 0,
  });
  assert.equal((await gateway.error(CHAT, { body })).status, 401);
  for (
    const path of ["/v1/models", "/v1/models/model", "/v1/embeddings", "/v1/messages/count_tokens"]
  ) {
    const method = path.includes("models") ? "GET" : "POST";
    const { status } = await gateway.send(path, {
      method,
      body: method === "POST" ? HI : undefined,
    });
    assert.equal(status, 401, path);
  }
  assert.equal(gateway.sent.length, 0);
});

Deno.test("lets a key use its own models only", async () => {
  const { access, secret } = await withKey();
  await using gateway = new HttpGateway({ access }, undefined, [{}, { model: "other" }]);
  const headers = { authorization: `Bearer ${secret}` };
  for (const path of [CHAT, "/v1/embeddings", "/v1/messages/count_tokens"]) {
    const { status, error } = await gateway.error(path, {
      headers,
      body: { ...HI, model: "other" },
    });
    assert.equal(status, 403, path);
    assert.match(String(error.message), /the key "alice" may not use the model "other"/);
    // What other routes exist is not disclosed.
    const unknown = await gateway.error(path, { headers, body: { ...HI, model: "modle" } });
    assert.equal(unknown.status, 403, path);
    assert.match(String(unknown.error.message), /"modle"\. Did you mean "model"\?/);
  }
  const list = await (await gateway.send("/v1/models", { headers })).json();
  assert.deepEqual(list.data.map(({ id }: { id: string }) => id), ["model"]);
  assert.equal((await gateway.send("/v1/models/other", { headers })).status, 404);
  assert.equal(gateway.sent.length, 0);
});

Deno.test("accepts any keys where none is needed", async () => {
  const access = await openAccess({ allowAnonymous: true });
  await using gateway = new HttpGateway({ access });
  const headers = { authorization: "Bearer a", "x-api-key": "b" };
  assert.equal((await gateway.send(CHAT, { headers, body: HI })).status, 200);
});

Deno.test("refuses web pages and foreign host names where no key could stop them", async () => {
  const access = await openAccess({ allowAnonymous: true });
  await using gateway = new HttpGateway({ access, corsOrigins: ["https://chat.example"] });
  const send = (headers: Record<string, string>) => gateway.error(CHAT, { headers, body: HI });
  const page = await send({ origin: "https://evil.example" });
  assert.deepEqual([page.status, page.error.code], [403, "origin_not_allowed"]);
  assert.equal((await send({ origin: "null" })).status, 403);
  assert.equal((await send({ origin: "https://chat.example" })).status, 200);
  assert.equal((await send({ origin: "http://127.0.0.1:8080" })).status, 200);
  const rebound = await send({ host: "evil.example:8080", origin: "http://evil.example:8080" });
  assert.deepEqual([rebound.status, rebound.error.code], [403, "forbidden_host"]);
  assert.equal((await send({ host: "localhost:8080" })).status, 200);
  // A key stops pages that do not know it, and a proxy has a name of its own.
  const { access: keyed, secret } = await withKey();
  await using behindProxy = new HttpGateway({ access: keyed });
  const headers = { host: "llm.example", origin: "app://notes", authorization: `Bearer ${secret}` };
  assert.equal((await behindProxy.send(CHAT, { headers, body: HI })).status, 200);
});

Deno.test("answers browsers of listed origins only", async () => {
  const origin = "https://chat.example";
  await using gateway = new HttpGateway({ corsOrigins: [origin] });
  const preflight = {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  };
  const allowed = await gateway.send(CHAT, preflight);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), origin);
  assert.equal(allowed.headers.get("access-control-allow-headers"), "authorization,content-type");
  assert.equal(allowed.headers.get("access-control-allow-credentials"), null);
  const answer = await gateway.send(CHAT, { headers: { origin }, body: HI });
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  assert.match(answer.headers.get("vary") ?? "", /Origin/);
  const other = { ...preflight, headers: { ...preflight.headers, origin: "https://evil.example" } };
  const refused = await gateway.send(CHAT, other);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get("access-control-allow-origin"), null);
  await using closed = new HttpGateway();
  assert.equal((await closed.send(CHAT, preflight)).status, 405);
  const plain = await closed.send(CHAT, { headers: {}, body: HI });
  assert(![...plain.headers.keys()].some((name) => name.startsWith("access-control")));
});

Deno.test("shows the operator's pages to programs on this machine only, unless there is an admin key", async () => {
  await using gateway = new HttpGateway();
  const status = async (request: GatewayRequest) => {
    const response = await gateway.send("/status", request);
    await response.body?.cancel();
    return response.status;
  };
  const allowed = await status({});
  assert.notEqual(allowed, 403);
  assert.notEqual(await status({ from: "::1" }), 403);
  assert.notEqual(await status({ from: "::ffff:127.0.0.1" }), 403);
  assert.equal(await status({ from: "192.0.2.1" }), 403);
  assert.equal(await status({ headers: { "x-forwarded-for": "192.0.2.1" } }), 403);
  assert.equal(await status({ headers: { host: "evil.example" } }), 403);
  // Nothing is known about the connection.
  const request = new Request("http://127.0.0.1:8080/status");
  assert.equal((await gateway.app.fetch(request)).status, 403);
});

Deno.test("takes the admin key as a bearer token or as a password", async () => {
  await using gateway = new HttpGateway({ adminKey: "s3cret:with colon" });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  const status = async (authorization?: string) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await gateway.send("/status", { from: "192.0.2.1", headers });
    if (response.status === 401) {
      assert.match(response.headers.get("www-authenticate") ?? "", /^Basic realm=/);
    }
    await response.body?.cancel();
    return response.status;
  };
  for (const wrong of [undefined, "Bearer no", basic("admin:no"), basic("s3cret"), "Basic ???"]) {
    assert.equal(await status(wrong), 401, wrong ?? "no key");
  }
  for (const right of ["Bearer s3cret:with colon", basic("admin:s3cret:with colon")]) {
    assert.notEqual(await status(right), 401, right);
  }
  // A virtual key opens no page.
  const { access, secret } = await withKey();
  await using keyed = new HttpGateway({ access, adminKey: "admin" });
  const headers = { authorization: `Bearer ${secret}` };
  assert.equal((await keyed.send("/metrics", { headers })).status, 401);
  // The admin key calls no model: no key is without limits and budgets.
  const admin = { authorization: "Bearer admin" };
  for (const path of [CHAT, "/v1/embeddings", "/v1/messages/count_tokens"]) {
    assert.equal((await keyed.error(path, { headers: admin, body: HI })).status, 401, path);
  }
  assert(isSameSecret("ä", "ä") && !isSameSecret("a", "ab") && !isSameSecret("", "a"));
});

Deno.test("takes no server, no key and no route from clients", async () => {
  await using gateway = new HttpGateway();
  const headers = {
    "x-portkey-custom-host": "http://169.254.169.254",
    "x-portkey-api-key": "x",
    "x-base-url": "http://169.254.169.254",
    "helicone-target-url": "http://169.254.169.254",
    cookie: "session=1",
    "x-stainless-lang": "js",
    "proxy-authorization": "Basic x",
    "x-forwarded-host": "169.254.169.254",
  };
  const body = { ...HI, api_base: "http://169.254.169.254", base_url: "http://x", api_key: "sk-x" };
  assert.equal((await gateway.send(CHAT, { headers, body })).status, 200);
  const [sent] = gateway.sent;
  assert.equal(sent.url, "https://llm.example/v1/chat/completions");
  for (const name of Object.keys(headers)) assert.equal(sent.headers.get(name), null, name);
});
