/** A result file of version 0.1.0: out of order, with a failure, and torn by a kill. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ResultReader } from "../../../lib/results/result_reader.ts";
import { openResults } from "../../../lib/results/result_source.ts";
import { ResultSelection } from "../../../lib/results/selection.ts";
import { type BatchInput, type BatchItem, LLMClient, type Tool } from "../../../mod.ts";
import { scriptedServer } from "../../support/scripted_server.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";

const FILE = readFileSync(new URL("../../fixtures/results_0.1.0.jsonl", import.meta.url), "utf8");

function input(content: string, rest: Omit<BatchInput & object, "messages"> = {}): BatchInput {
  return { messages: [{ role: "user", content }], ...rest };
}

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools: Tool[] = [{ type: "function", function: { name: "get_weather", parameters } }];
const schema = {
  type: "object",
  properties: { stars: { type: "number" } },
  required: ["stars"],
  additionalProperties: false,
};
const responseFormat = { type: "json_schema", json_schema: { name: "s", schema } } as const;

/** The inputs of the batch that wrote the file. */
const INPUTS: BatchInput[] = [
  input("Capital of France?", { metadata: { id: "a", big: 7 } }),
  input("Weather?", { options: { tools, temperature: 0.5 } }),
  input("Fail."),
  input("Think."),
  input("Rate it.", { options: { responseFormat } }),
  input("Refuse."),
  input("Last one."),
];

/** Runs the batch against a server that answers `Now.`. */
async function resume(output: string, inputs = INPUTS) {
  const server = scriptedServer("Now.");
  await using client = new LLMClient({
    baseUrl: "http://host.invalid/v1",
    model: "m",
    fetch: server.fetch,
  });
  const { results, summary } = await client.chatCompletionsBatch(inputs, { output });
  return { results, summary, sent: server.bodies.length };
}

function resultOf(item: BatchItem) {
  assert.ok(item.status === "success");
  return item.result;
}

Deno.test("a result file of 0.1.0 is resumed: only the failure and the torn record are sent", async () => {
  using folder = temporaryFolder();
  const output = folder.write("out.jsonl", FILE);
  const { results, summary, sent } = await resume(output);
  assert.deepEqual([summary.restored, summary.succeeded, sent], [5, 2, 2]);
  const [france, weather, failed, thought, rated, refused, last] = results.map(resultOf);
  assert.equal(france.content, "Paris");
  assert.equal(france.cost, 0.00002175);
  assert.equal(france.usage?.promptTokens, 5);
  assert.equal(weather.toolCalls[0].function.arguments, '{"city":"Oslo"}');
  assert.deepEqual([failed.content, last.content], ["Now.", "Now."]);
  assert.equal(thought.thinking, "Hm.\u2028Yes.");
  assert.deepEqual(rated.parsed, { stars: 1.1 });
  assert.deepEqual([refused.refusal, refused.finishReason], ["No.", "content_filter"]);
});

Deno.test("the results of 0.1.0 are sorted in byte for byte", async () => {
  using folder = temporaryFolder();
  const output = folder.write("out.jsonl", FILE);
  await resume(output);
  const lines = folder.read("out.jsonl").trimEnd().split("\n");
  const old = FILE.split("\n").slice(0, 6).filter((line) => !line.includes('"status":"error"'));
  assert.equal(old.length, 5);
  for (const line of old) assert.ok(lines.includes(line), line);
  const indexes = jsonLines(folder.read("out.jsonl")).map(({ index }) => index);
  assert.deepEqual(indexes, INPUTS.map((_, index) => index));
  assert.equal((await resume(output)).sent, 0);
});

Deno.test("a rescued file of 0.1.0 is imported", async () => {
  using folder = temporaryFolder();
  const output = folder.write("out.jsonl", `${FILE.split("\n")[0]}\n`);
  folder.write("out.jsonl.rescued", FILE.slice(0, FILE.lastIndexOf("\n") + 1));
  const { summary, sent } = await resume(output);
  assert.deepEqual([summary.restored, sent], [5, 2]);
});

Deno.test("flexllm results counts a file of 0.1.0", async () => {
  using folder = temporaryFolder();
  const whole = FILE.slice(0, FILE.lastIndexOf("\n") + 1);
  const sources = await openResults([folder.write("out.jsonl", whole)]);
  const counts = new ResultSelection(new ResultReader(sources), {}).summarize();
  for (const source of sources) source.close();
  assert.deepEqual([counts.succeeded, counts.failed], [5, 1]);
});

Deno.test("a changed input is detected in a file of 0.1.0", async () => {
  using folder = temporaryFolder();
  const output = folder.write("out.jsonl", FILE);
  const changed = INPUTS.with(1, input("Weather?", { options: { tools, temperature: 0.6 } }));
  await assert.rejects(resume(output, changed), { code: "journal_mismatch" });
});
