import assert from "node:assert/strict";
import { LLMClient, type ResponseFormat, type SchemaMismatchError } from "../mod.ts";
import { completion, httpAnswer, startRawServer } from "./support/raw_server.ts";

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

async function ask(answer: string, responseFormat?: ResponseFormat) {
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, completion(answer)))
  );
  await using client = new LLMClient({ baseUrl: server.baseUrl, model: "m" });
  const messages = [{ role: "user" as const, content: "Who?" }];
  const streamed = await client.chatCompletionsStream(messages, { responseFormat }).result;
  const plain = await client.chatCompletions(messages, { responseFormat });
  assert.deepEqual(streamed.parsed, plain.parsed);
  return plain.parsed;
}

Deno.test("an answer that fits the schema is given parsed", async () => {
  assert.deepEqual(await ask('{"name":"Ada","age":36}', FORMAT), { name: "Ada", age: 36 });
  assert.deepEqual(await ask('{"any":["thing"]}', { type: "json_object" }), { any: ["thing"] });
  assert.equal(await ask("just text"), undefined);
});

Deno.test("an answer that does not fit is an error with the answer and what is wrong", async () => {
  await assert.rejects(ask('{"name":"Ada","age":-1}', FORMAT), (error: SchemaMismatchError) => {
    assert.equal(error.code, "schema_mismatch");
    assert.equal(error.content, '{"name":"Ada","age":-1}');
    assert.match(error.message, /does not fit the schema: #\/age: -1 is less than 0/);
    assert.equal(error.problems.length, 1);
    return true;
  });
  await assert.rejects(ask('{"name":"Ada"}', FORMAT), /age/);
  await assert.rejects(ask("Ada, 36", FORMAT), /the answer is not JSON/);
});
