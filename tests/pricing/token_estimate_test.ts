/** Token estimates, compared with OpenAI's o200k_base tokenizer. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type ContentPart,
  CostTracker,
  type DocumentPart,
  LLMClient,
  type Message,
} from "../../mod.ts";
import { promptSize, textSize, TokenEstimate } from "../../lib/pricing/token_estimate.ts";
import { loadTokenizer } from "../../lib/pricing/tokenizer.ts";
import { watchedMock } from "../support/watched_mock.ts";

const ROWS = Array.from({ length: 40 }, (_, i) => ({
  id: i * 7919 % 10007,
  name: `user ${i * 31 % 97}`,
  score: i * 137 % 100 / 100,
  tags: ["alpha", "beta"],
  created_at: `2026-11-${10 + i % 20}T07:52:12Z`,
}));

const SAMPLES: Record<string, string> = {
  english:
    "The speed limit on our roads has been argued about for decades. Those in favour speak of " +
    "safety and of the environment, those against it of freedom; both sides are sure that the " +
    "numbers are theirs. Summarise the following article in three sentences, and say what is missing.",
  german: "Die Geschwindigkeitsbegrenzung auf Autobahnen wird seit Jahrzehnten leidenschaftlich " +
    "diskutiert. Fasse den folgenden Text in drei Sätzen zusammen und nenne die Überlegungen.",
  chinese:
    "机器学习是人工智能的一个分支，它使计算机能够从数据中学习而无需明确编程。请把下面的文章总结成三句话，" +
    "并指出作者的主要论点和不足之处。上海是中国最大的城市之一，拥有悠久的历史和丰富的文化遗产。",
  japanese:
    "自転車の乗り方を何度も転びながら身につけていくように、コンピュータもたくさんの例から規則を見つけ出します。" +
    "次の文章を三つの文に要約してください。",
  russian:
    "Нейронные сети способны обучаться на огромных массивах данных для решения сложнейших задач. " +
    "Перескажи следующую статью в трёх предложениях и назови главную мысль автора.",
  code: String(TokenEstimate),
  json: JSON.stringify(ROWS),
  prettyJson: JSON.stringify(ROWS, null, 2),
  numbers: ROWS.map(({ id, score }) => `${id},${score}`).join("\n"),
  emoji: "😀🎉🚀✨🔥💡👍🏽❤️🧠 ok 📦 ".repeat(5),
};

Deno.test("estimates are too high rather than too low, but by less than half", async () => {
  const count = await loadTokenizer();
  for (const [name, text] of Object.entries(SAMPLES)) {
    const ratio = textSize(text) / count(text);
    assert.ok(ratio >= 0.95 && ratio <= 1.5, `${name}: ${ratio.toFixed(2)}`);
  }
});

Deno.test("text that looks like control tokens is counted as text", async () => {
  const count = await loadTokenizer();
  assert.ok(count("<|endoftext|>") > 1);
});

Deno.test("learn() raises an estimate that was too low, but never lowers one", () => {
  const estimate = new TokenEstimate();
  const usage = (promptTokens: number) => ({ promptTokens, completionTokens: 1, totalTokens: 0 });
  assert.equal(estimate.prompt(1000), 1000);
  estimate.learn(1000, usage(1500));
  assert.deepEqual([estimate.prompt(1000), estimate.prompt(2000)], [1500, 3000]);
  estimate.learn(1000, usage(10));
  estimate.learn(1000, usage(1200));
  assert.equal(estimate.prompt(1000), 1500);
});

Deno.test("the overhead of a small prompt is not scaled up for a large one", () => {
  const estimate = new TokenEstimate();
  // Like Claude, which adds hundreds of tokens of instructions to requests with tools.
  estimate.learn(20, { promptTokens: 420, completionTokens: 1, totalTokens: 421 });
  assert.deepEqual([estimate.prompt(20), estimate.prompt(10_000)], [420, 10_400]);
});

Deno.test("a single count, however wrong, raises later estimates by a limited amount", () => {
  for (const size of [20, 1000]) {
    const estimate = new TokenEstimate();
    const count = 500_000_000;
    estimate.learn(size, { promptTokens: count, completionTokens: count, totalTokens: 2 * count });
    assert.ok(estimate.prompt(1000) <= 5000, `${estimate.prompt(1000)} tokens`);
    assert.equal(estimate.completion({}), 262_144);
  }
});

Deno.test("completions of concurrent requests do not raise the estimate repeatedly", async () => {
  const estimate = new TokenEstimate();
  for (let i = 0; i < 64; i++) {
    estimate.learn(1000, { promptTokens: 1300, completionTokens: 1, totalTokens: 1301 });
  }
  assert.equal(estimate.prompt(1000), 1300);

  // The same through a client: the budget is enough for all of them if each is estimated correctly.
  await using mock = await watchedMock({ length: 40 });
  const costTracker = new CostTracker({ limit: 100 });
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    prices: [{ model: "m", input: 1000, output: 0 }],
    costTracker,
    concurrencyLimit: 32,
    // A server that counts three times as many tokens as estimated.
    fetch: async (url, init) => {
      const answer = await (await fetch(url, init)).json();
      answer.usage.prompt_tokens = 900;
      return Response.json(answer);
    },
  });
  const messages: Message[] = [{ role: "user", content: "word ".repeat(200) }];
  const inputs = Array.from({ length: 96 }, () => messages);
  const { summary } = await client.chatCompletionsBatch(inputs, { maxTokens: 10 });
  assert.equal(summary.succeeded, 96);
});

Deno.test("without maxTokens, the estimate is the longest completion so far", () => {
  const estimate = new TokenEstimate();
  assert.equal(estimate.completion({}), 1024);
  estimate.learn(10, { promptTokens: 1, completionTokens: 5000, totalTokens: 5001 });
  estimate.learn(10, { promptTokens: 1, completionTokens: 3, totalTokens: 4 });
  assert.equal(estimate.completion({}), 5000);
  assert.equal(estimate.completion({ maxTokens: 10 }), 10);
});

Deno.test("images, tool calls, tools and schemas count", () => {
  const plain = promptSize([{ role: "user", content: "Hi" }]);
  const withImage = (detail?: "low") =>
    promptSize([{
      role: "user",
      content: [
        { type: "text", text: "Hi" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA".repeat(999), detail } },
      ],
    }]);
  assert.deepEqual([withImage() - plain, withImage("low") - plain], [1600, 100]);

  const call = (text: string): Message => ({
    role: "assistant",
    content: null,
    tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: text } }],
  });
  assert.ok(promptSize([call("x".repeat(400))]) > promptSize([call("")]) + 100);

  const parameters = { type: "object", properties: { text: { description: "x".repeat(400) } } };
  const tools = [{ type: "function" as const, function: { name: "f", parameters } }];
  const json_schema = { name: "s", schema: parameters };
  const responseFormat = { type: "json_schema" as const, json_schema };
  assert.ok(promptSize([{ role: "user", content: "Hi" }], { tools }) > plain + 100);
  assert.ok(promptSize([{ role: "user", content: "Hi" }], { responseFormat }) > plain + 100);
});

Deno.test("files and audio count by their bytes, or by a default if these are unknown", () => {
  const plain = promptSize([{ role: "user", content: [] }]);
  const size = (part: ContentPart) => promptSize([{ role: "user", content: [part] }]) - plain;
  const file = (file_data: string) => size({ type: "file", file: { file_data } });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const pdf = base64(new Uint8Array(450_000));
  assert.equal(file(`data:application/pdf;base64,${pdf}`), 15_000);
  assert.equal(file("report.pdf"), 15_000);
  assert.equal(size({ type: "file", file: { file_id: "file-1" } }), 15_000);
  const text = file(`data:text/plain;base64,${base64(Buffer.from("word ".repeat(600)))}`);
  assert.ok(text > 600 && text < 1200, `${text}`);
  const document = (source: DocumentPart["source"]) => size({ type: "document", source });
  assert.equal(
    document({ type: "base64", media_type: "application/pdf", data: pdf }),
    15_000,
  );
  assert.ok(document({ type: "text", media_type: "text/plain", data: "word ".repeat(600) }) < 1000);

  const audio = (data: string) => size({ type: "input_audio", input_audio: { data } });
  // Ten seconds of MP3, then of PCM at 32,000 bytes per second.
  const mp3 = base64(Buffer.concat([Buffer.from("ID3"), new Uint8Array(160_000)]));
  assert.equal(Math.round(audio(mp3)), 320);
  const header = Buffer.from("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0", "latin1");
  const rate = Buffer.alloc(4);
  rate.writeUInt32LE(32_000);
  const wav = base64(Buffer.concat([header, rate, new Uint8Array(320_000)]));
  for (const data of [wav, `data:audio/wav;base64,${wav}`]) {
    assert.equal(Math.round(audio(data)), 320);
  }
  assert.equal(audio("speech.mp3"), 1920);
});
