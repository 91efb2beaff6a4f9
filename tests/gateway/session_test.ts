/** All calls of a conversation have the same session, whatever the client calls it. */
import assert from "node:assert/strict";
import { sessionOf } from "../../lib/gateway/session.ts";
import type { Json } from "../../lib/json/json.ts";
import { type CallOptions, gatewayCall } from "../support/gateway_calls.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../support/serve_formats.ts";

function session(format: Format, body: Json, options?: CallOptions): string | undefined {
  return sessionOf(gatewayCall(format, { model: "m", ...body }, options));
}

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

for (const header of ["x-claude-code-session-id", "session-id", "thread-id", "x-session-id"]) {
  Deno.test(`the header ${header} names the session`, () => {
    const at = (value: string, text: string) =>
      session(CHAT, { messages: [user(text)] }, { headers: { [header]: value } });
    assert.equal(at("1", "a"), at("1", "b"));
    assert.notEqual(at("1", "a"), at("2", "a"));
  });
}

Deno.test("fields of the body name the session", () => {
  const pairs: [Format, Json, Json][] = [
    [RESPONSES, { prompt_cache_key: "1" }, { prompt_cache_key: "2" }],
    [RESPONSES, { conversation: "c1" }, { conversation: { id: "c2" } }],
    [GEMINI, { cachedContent: "cachedContents/1" }, { cachedContent: "cachedContents/2" }],
    [CLAUDE, { metadata: { user_id: "u_session_1" } }, { metadata: { user_id: "u_session_2" } }],
  ];
  for (const [format, one, other] of pairs) {
    assert.equal(
      session(format, { ...one, input: "a", contents: [{ parts: [{ text: "a" }] }] }),
      session(format, { ...one, input: "b", contents: [{ parts: [{ text: "b" }] }] }),
    );
    assert.notEqual(session(format, { ...one }), session(format, { ...other }));
  }
  assert.equal(
    session(RESPONSES, { conversation: "c1" }),
    session(RESPONSES, { conversation: { id: "c1" } }),
  );
});

Deno.test("a user with several conversations has several sessions", () => {
  const at = (text: string) =>
    session(CLAUDE, { metadata: { user_id: "user-7" }, messages: [user(text)] });
  assert.notEqual(at("a"), at("b"));
  const other = (text: string) => session(CHAT, { user: "user-7", messages: [user(text)] });
  assert.notEqual(other("a"), other("b"));
});

Deno.test("later turns keep the session that the beginning of the prompt has", () => {
  const later = [assistant("Hello!"), user("More.")];
  const system = { role: "system", content: "Be brief." };
  const gemini = (text: string) => ({ role: "user", parts: [{ text }] });
  const tool = { type: "function", function: { name: "find" } };
  for (
    const [format, one, next, other] of [
      [CHAT, { messages: [system, user("Hi")] }, { messages: [system, user("Hi"), ...later] }, {
        messages: [system, user("Ho")],
      }],
      [CHAT, { messages: [user("Hi")] }, { messages: [user("Hi"), ...later] }, {
        messages: [system, user("Hi")],
      }],
      [CHAT, { messages: [user("Hi")] }, { messages: [user("Hi")], temperature: 0 }, {
        messages: [user("Hi")],
        tools: [tool],
      }],
      [RESPONSES, { input: [user("Hi")] }, { input: [user("Hi"), ...later] }, {
        input: "Hi there",
      }],
      [
        CLAUDE,
        { system: "Be brief.", messages: [user([{ type: "text", text: "Hi" }])] },
        {
          system: "Be brief.",
          messages: [
            user([{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }]),
            ...later,
          ],
        },
        { system: "Be long.", messages: [user([{ type: "text", text: "Hi" }])] },
      ],
      [
        GEMINI,
        { systemInstruction: { parts: [{ text: "s" }] }, contents: [gemini("Hi")] },
        {
          systemInstruction: { parts: [{ text: "s" }] },
          contents: [gemini("Hi"), { role: "model", parts: [] }],
        },
        { contents: [gemini("Hi")] },
      ],
    ] as [Format, Json, Json, Json][]
  ) {
    assert.ok(session(format, one));
    assert.equal(session(format, one), session(format, next));
    assert.notEqual(session(format, one), session(format, other));
  }
});

Deno.test("the attribution line of Claude Code does not count", () => {
  const at = (version: string, prompt = "You are Claude Code.") =>
    session(CLAUDE, {
      system: [
        { type: "text", text: `x-anthropic-billing-header: cc_version=${version}` },
        { type: "text", text: prompt },
      ],
      messages: [user("Hi")],
    });
  assert.equal(at("2.1.197"), at("2.1.198"));
  assert.notEqual(at("2.1.197"), at("2.1.197", "You are another."));
});

Deno.test("callers never share a session, and no session is long", () => {
  const at = (caller: string, options?: CallOptions) =>
    session(CHAT, { messages: [user("Hi")] }, { caller, ...options });
  assert.notEqual(at("a"), at("b"));
  const headers = { "session-id": "x".repeat(10_000) };
  assert.notEqual(at("a", { headers }), at("b", { headers }));
  assert.ok(at("a", { headers })!.length < 150);
  assert.notEqual(
    at("a", { headers }),
    at("a", { headers: { "session-id": "x".repeat(10_001) } }),
  );
});

Deno.test("nothing identifies a call without a prompt, and odd bodies are no problem", () => {
  assert.equal(session(CHAT, {}), undefined);
  for (const messages of [null, 1, "x", [], [null, 1], [{ role: "system" }], {}]) {
    assert.equal(
      session(CHAT, { messages, tools: 1, system: [1, null], instructions: {} }),
      undefined,
    );
  }
});
