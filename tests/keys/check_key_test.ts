/** The checks of keys and their names. */
import assert from "node:assert/strict";
import { isKeyName, keyProblem, looksLikeKey } from "../../lib/keys/check_key.ts";
import {
  canonicalKeyName,
  keyedService,
  keyedServices,
  keyNameOf,
} from "../../lib/keys/key_names.ts";

Deno.test("keyProblem() names the mistake and never repeats the key", () => {
  const cases: [key: string, problem: RegExp][] = [
    ["", /empty/],
    ["sk-a\nsk-b", /one line, got 2 lines/],
    ["sk-a\r\nsk-b\r\nsk-c", /got 3 lines/],
    ["sk-secret part", /character 10 is a space/],
    ["sk-secret\u00a0", /character 10 is U\+00A0/],
    ["sk-secré", /character 8 is "é" \(U\+00E9\)/],
    ["sk-\u001bsecret", /character 4 is U\+001B/],
    ["Bearer sk-secret", /without "Bearer"/],
    ['"sk-secret"', /without quotes/],
    ["OPENAI_API_KEY=sk-secret", /without NAME=/],
    ["${OPENAI_API_KEY}", /a reference/],
    ["<your key>", /placeholder/],
    ["sk-...", /placeholder/],
  ];
  for (const [key, problem] of cases) {
    assert.match(keyProblem(key) ?? "", problem, JSON.stringify(key));
    assert.doesNotMatch(keyProblem(key) ?? "", /secr/);
  }
  const good = ["sk-proj-Ab_1", "AIzaSy+/=", "gsk_'\"$", "x", "a".repeat(4000)];
  assert.deepEqual(good.map(keyProblem), good.map(() => undefined));
});

Deno.test("a key given as a name is recognized", () => {
  assert.deepEqual(["openai", "work.2", "my-key_1"].map(isKeyName), [true, true, true]);
  assert.deepEqual(["", "-x", "a b", "ä", "a/b"].map(isKeyName), [
    ...[false, false, false, false, false],
  ]);
  const keys = ["sk-abcdefgh1", "AIzaSyD1234567", "gsk_0123456789", "0123456789abcdef0123456789"];
  assert.deepEqual(keys.map(looksLikeKey), keys.map(() => true));
  const names = ["openai", "gemini-openai", "sk", "work", "key-of-my-second-account"];
  assert.deepEqual(names.map(looksLikeKey), names.map(() => false));
});

Deno.test("every service has one name for its key", () => {
  assert.deepEqual(["Claude", "google", "gemini-openai", "OpenAI", "work"].map(canonicalKeyName), [
    ...["anthropic", "gemini", "gemini", "openai", "work"],
  ]);
  const names = keyedServices().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, variable, baseUrl } of keyedServices()) {
    assert.ok(isKeyName(name), name);
    assert.match(variable, /^[A-Z_]+$/);
    if (baseUrl !== undefined) assert.equal(keyNameOf(baseUrl), name);
  }
  assert.equal(keyedService("claude")?.variable, "ANTHROPIC_API_KEY");
  assert.equal(
    keyNameOf("https://generativelanguage.googleapis.com/v1beta/openai"),
    keyNameOf("https://generativelanguage.googleapis.com/v1beta"),
  );
  assert.equal(keyNameOf("https://llm.example/v1"), undefined);
  assert.equal(keyNameOf("http://localhost:1234/v1"), undefined);
});
