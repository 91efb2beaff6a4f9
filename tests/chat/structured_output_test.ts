import assert from "node:assert/strict";
import { parseStructured } from "../../lib/chat/structured_output.ts";
import { LLMClient, type ResponseFormat, type SchemaMismatchError } from "../../mod.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";

const FORMAT: ResponseFormat = {
  type: "json_schema",
  json_schema: {
    name: "person",
    schema: {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
      required: ["name", "age"],
    },
  },
};

async function send(answer: string, responseFormat?: ResponseFormat) {
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, completion(answer)))
  );
  await using client = new LLMClient({ baseUrl: server.baseUrl, model: "m" });
  const messages = [{ role: "user" as const, content: "Who?" }];
  const streamed = await client.chatCompletionsStream(messages, { responseFormat }).finalResult();
  const plain = await client.chatCompletions(messages, { responseFormat });
  assert.deepEqual(streamed.parsed, plain.parsed);
  return plain.parsed;
}

Deno.test("an answer that matches the schema is parsed", async () => {
  assert.deepEqual(await send('{"name":"Ada","age":36}', FORMAT), { name: "Ada", age: 36 });
  assert.deepEqual(await send('{"any":["thing"]}', { type: "json_object" }), { any: ["thing"] });
  assert.equal(await send("just text"), undefined);
});

Deno.test("a mismatch is an error with the answer and its problems", async () => {
  await assert.rejects(send('{"name":"Ada","age":-1}', FORMAT), (error: SchemaMismatchError) => {
    assert.equal(error.code, "schema_mismatch");
    assert.equal(error.content, '{"name":"Ada","age":-1}');
    assert.match(error.message, /does not match the schema: #\/age: -1 is less than 0/);
    assert.equal(error.problems.length, 1);
    return true;
  });
  await assert.rejects(send('{"name":"Ada"}', FORMAT), /age/);
  await assert.rejects(send("Ada, 36", FORMAT), /the answer is not JSON/);
});

Deno.test("JSON in a Markdown code block is accepted", async () => {
  assert.deepEqual(await send('```json\n{"name":"Ada","age":36}\n```', FORMAT), {
    name: "Ada",
    age: 36,
  });
});

Deno.test("an answer that is nested too deeply for a result file is a mismatch", async () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const format = { type: "json_object" } as const;
  assert.equal(JSON.stringify(await parseStructured(nested(500), format)), nested(500));
  for (const depth of [501, 100_000]) {
    await assert.rejects(parseStructured(nested(depth), format), {
      code: "schema_mismatch",
      message: "the answer does not match the schema: #: nested more than 500 levels deep",
    });
  }
});

/** Sends a request to a server that returns `answers` one after the other. */
async function askAgain(answers: string[], schemaRetries: number) {
  await using server = await startRawServer((socket, { number }) =>
    socket.write(httpAnswer(200, completion(answers[number])))
  );
  await using client = new LLMClient({ baseUrl: server.baseUrl, model: "m" });
  const messages = [{ role: "user" as const, content: "Who?" }];
  const requested = client.chatCompletions(messages, { responseFormat: FORMAT, schemaRetries });
  const outcome = await requested.then((result) => ({ result }), (error) => ({ error }));
  return { ...outcome, sent: server.requests.map(({ body }) => JSON.parse(body).messages) };
}

Deno.test("a mismatch is retried, showing the model its problems", async () => {
  const outcome = await askAgain(["Ada, 36", '{"name":"Ada"}', '{"name":"Ada","age":36}'], 2);
  assert.ok("result" in outcome);
  const { result, sent } = outcome;
  assert.deepEqual(result.parsed, { name: "Ada", age: 36 });
  assert.equal(result.usage!.totalTokens, 3 * 5, "all three answers are counted");
  assert.deepEqual(sent[1].slice(0, 2), [
    { role: "user", content: "Who?" },
    { role: "assistant", content: "Ada, 36" },
  ]);
  assert.match(sent[1][2].content, /the answer is not JSON[\s\S]*only JSON/);
  assert.equal(sent[2].length, 3, "only the last wrong answer is shown");
  assert.match(sent[2][2].content, /required property "age"/);
});

Deno.test("after the last retry, the error has the answer and the total usage", async () => {
  const outcome = await askAgain(["{}", "{}", '{"name":1}'], 2);
  assert.ok("error" in outcome);
  const { error, sent } = outcome;
  assert.equal(sent.length, 3);
  assert.equal(error.code, "schema_mismatch");
  assert.equal(error.content, '{"name":1}');
  assert.equal(error.result.usage.totalTokens, 3 * 5);
});
