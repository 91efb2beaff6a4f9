import assert from "node:assert/strict";
import { textTokens, TokenEstimate } from "../lib/pricing/token_estimate.ts";
import { loadTokenizer } from "../lib/pricing/tokenizer.ts";

const ENGLISH = "The quick brown fox jumps over the lazy dog while everybody else is watching it. ";
const CHINESE = "断点续传让批处理自动恢复，百万请求安全处理，响应缓存内置支持。";

Deno.test("texts of different scripts are estimated high, not low", async () => {
  const count = await loadTokenizer();
  for (const text of [ENGLISH.repeat(20), CHINESE.repeat(20)]) {
    const [estimated, counted] = [textTokens(text), count(text)];
    assert.ok(estimated >= counted && estimated < counted * 2, `${estimated} for ${counted}`);
  }
});

Deno.test("texts that look like control tokens are counted as texts", async () => {
  const count = await loadTokenizer();
  assert.ok(count("<|endoftext|>") > 1);
});

Deno.test("an estimate that was too low is raised, one that was too high is kept", () => {
  const estimate = new TokenEstimate();
  const messages = [{ role: "user" as const, content: "x".repeat(300) }];
  const first = estimate.prompt(messages, {});
  const answer = { promptTokens: first * 2, completionTokens: 5000, totalTokens: 0 };
  estimate.learn(first, answer);
  assert.equal(estimate.prompt(messages, {}), first * 2);
  estimate.learn(first * 2, { ...answer, promptTokens: 1, completionTokens: 1 });
  assert.equal(estimate.prompt(messages, {}), first * 2);
  assert.equal(estimate.completion({}), 5000);
  assert.equal(estimate.completion({ maxTokens: 10 }), 10);
});

Deno.test("images, tools and schemas count", () => {
  const estimate = new TokenEstimate();
  const plain = estimate.prompt([{ role: "user", content: "Hi" }], {});
  const image = { type: "image_url" as const, image_url: { url: "a.png" } };
  const content = [{ type: "text" as const, text: "Hi" }, image];
  assert.ok(estimate.prompt([{ role: "user", content }], {}) > plain + 1000);
  const tools = [{
    type: "function" as const,
    function: { name: "f", description: "x".repeat(300) },
  }];
  assert.ok(estimate.prompt([{ role: "user", content: "Hi" }], { tools }) > plain + 100);
});
