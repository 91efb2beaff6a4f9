/** Standard Schemas of zod, arktype and valibot as response formats and as parameters of tools. */
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  type BatchInput,
  LLMClient,
  type Message,
  SchemaMismatchError,
  type StandardSchemaV1,
  type Tool,
} from "../../mod.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const MESSAGES: Message[] = [{ role: "user", content: "Rate this." }];
const GOOD = '{"mood":"good","stars":5}';
const BAD = '{"mood":"awful","stars":5}';

/** One schema in each library. */
const SCHEMAS: Record<string, StandardSchemaV1<unknown, { mood: string; stars: number }>> = {
  zod: z.object({ mood: z.enum(["good", "bad"]), stars: z.int() }),
  arktype: type({ mood: "'good' | 'bad'", stars: "number.integer" }),
  valibot: toStandardJsonSchema(
    v.object({ mood: v.picklist(["good", "bad"]), stars: v.pipe(v.number(), v.integer()) }),
  ),
};

/** A schema whose output is not JSON. */
const DATED = z.object({
  at: z.string().transform((text) => new Date(text)),
  id: z.string().transform(BigInt),
});
const DATED_ANSWER = '{"at":"2026-01-02T03:04:05.000Z","id":"12345678901234567890"}';
const DATED_VALUE = { at: new Date("2026-01-02T03:04:05Z"), id: 12345678901234567890n };

function clientOf({ fetch }: ReturnType<typeof scriptedServer>) {
  return new LLMClient({ baseUrl: "http://host.invalid/v1", model: "m", fetch });
}

for (const [library, responseFormat] of Object.entries(SCHEMAS)) {
  Deno.test(`a ${library} schema is sent as JSON Schema and validates the answer`, async () => {
    const server = scriptedServer(GOOD);
    await using client = clientOf(server);
    const { parsed } = await client.chatCompletions(MESSAGES, { responseFormat });
    assert.deepEqual(parsed, { mood: "good", stars: 5 });
    const { type, json_schema } = server.bodies[0].response_format as {
      type: string;
      json_schema: { name: string; schema: Record<string, unknown> };
    };
    assert.equal(type, "json_schema");
    assert.equal(json_schema.name, "response");
    const { schema } = json_schema;
    assert.deepEqual(schema.required, ["mood", "stars"]);
    assert.equal(schema.additionalProperties, false);
    assert.equal("$schema" in schema, false);
    const { mood } = schema.properties as { mood: { enum: string[] } };
    assert.deepEqual(mood.enum.toSorted(), ["bad", "good"]);
  });

  Deno.test(`a ${library} schema rejects an answer with the path of the mismatch`, async () => {
    await using client = clientOf(scriptedServer(BAD));
    const error = await client.chatCompletions(MESSAGES, { responseFormat }).catch((error) =>
      error
    );
    assert.ok(error instanceof SchemaMismatchError);
    assert.equal(error.content, BAD);
    assert.equal(error.problems.length, 1);
    assert.match(error.problems[0], /^#\/mood: ./);
    assert.equal(error.result?.usage?.totalTokens, 10);
  });

  Deno.test(`schemaRetries shows the model the issues of a ${library} schema`, async () => {
    const server = scriptedServer(BAD, GOOD);
    await using client = clientOf(server);
    const options = { responseFormat, schemaRetries: 1 };
    const { parsed, usage } = await client.chatCompletions(MESSAGES, options);
    assert.deepEqual([parsed?.stars, usage?.totalTokens], [5, 20]);
    const sent = server.bodies[1].messages as { role: string; content: string }[];
    assert.deepEqual(sent.map(({ role }) => role), ["user", "assistant", "user"]);
    assert.match(sent[2].content, /#\/mood: /);
  });

  Deno.test(`a ${library} schema describes the parameters of a tool`, async () => {
    const server = scriptedServer("No.");
    await using client = clientOf(server);
    const tools: Tool[] = [{
      type: "function",
      function: { name: "rate", parameters: responseFormat },
    }];
    await client.chatCompletions(MESSAGES, { tools });
    const [tool] = server.bodies[0].tools as {
      function: { parameters: Record<string, unknown> };
    }[];
    assert.equal(tool.function.parameters.type, "object");
    assert.deepEqual(tool.function.parameters.required, ["mood", "stars"]);
    // The caller's tools are not modified.
    assert.equal((tools[0] as typeof tool).function.parameters as unknown, responseFormat);
  });
}

Deno.test("parsed is the output of the schema: plain, streamed and in a batch", async () => {
  await using client = clientOf(scriptedServer(DATED_ANSWER));
  const options = { responseFormat: DATED };
  assert.deepEqual((await client.chatCompletions(MESSAGES, options)).parsed, DATED_VALUE);
  const streamed = await client.chatCompletionsStream(MESSAGES, options).finalResult();
  assert.deepEqual(streamed.parsed, DATED_VALUE);
  const { results } = await client.chatCompletionsBatch([MESSAGES], options);
  assert.deepEqual(results.map((item) => item.status === "success" && item.result.parsed), [
    DATED_VALUE,
  ]);
});

Deno.test("a result file holds the model's JSON, and a restored result has the schema's output", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const server = scriptedServer(DATED_ANSWER);
  await using client = clientOf(server);
  await client.chatCompletionsBatch([MESSAGES], { output, responseFormat: DATED });
  const [line] = jsonLines(readFileSync(output, "utf8"));
  assert.deepEqual(line.parsed, { at: "2026-01-02T03:04:05.000Z", id: "12345678901234567890" });

  const items = client.iterChatCompletionsBatch([MESSAGES], { output, responseFormat: DATED });
  const restored = await Array.fromAsync(items);
  assert.equal(server.bodies.length, 1);
  assert.deepEqual(restored.map((item) => item.status === "success" && item.result.parsed), [
    DATED_VALUE,
  ]);
  assert.equal(items.summary.restored, 1);
});

/** A node that refers to itself. */
interface Ring {
  next?: Ring;
}

/** Transforms whose output has no JSON or another JSON, and a check of the output. */
const OUTPUTS: Record<string, [StandardSchemaV1, (value: unknown) => unknown]> = {
  "a Map": [z.json().transform((value) => new Map([["a", value]])), (it) => it instanceof Map],
  "a circular object": [
    z.json().transform(() => {
      const ring: Ring = {};
      return ring.next = ring;
    }),
    (it) => (it as Ring).next === it,
  ],
  "a function": [z.json().transform(() => () => 1), (it) => typeof it === "function"],
  "a symbol": [z.json().transform(() => Symbol.for("a")), (it) => it === Symbol.for("a")],
  "an invalid date": [
    z.json().transform(() => new Date(NaN)),
    (it) => it instanceof Date && Number.isNaN(it.getTime()),
  ],
  "an object whose toJSON throws": [
    z.json().transform(() => ({
      toJSON() {
        throw new Error("no JSON");
      },
    })),
    (it) => typeof (it as Date).toJSON === "function",
  ],
  "NaN": [z.json().transform(() => NaN), Number.isNaN],
  "a renamed field": [
    z.object({ id: z.number() }).transform(({ id }) => ({ key: id })),
    (it) => Object.hasOwn(it as object, "key"),
  ],
};

for (const [output, [responseFormat, isOutput]] of Object.entries(OUTPUTS)) {
  Deno.test(`a result file holds what the model wrote if the schema outputs ${output}`, async () => {
    using folder = temporaryFolder();
    const file = folder.file("out.jsonl");
    const server = scriptedServer('{"id":1.10}');
    await using client = clientOf(server);
    const inputs = [MESSAGES, { messages: MESSAGES, metadata: { n: 2 } }];
    for (const restored of [0, 2]) {
      const options = { output: file, responseFormat };
      const { results, summary, stoppedBy } = await client.chatCompletionsBatch(inputs, options);
      assert.equal(stoppedBy, undefined);
      assert.deepEqual([summary.restored, summary.succeeded], [restored, 2 - restored]);
      for (const item of results) {
        assert.ok(item.status === "success" && isOutput(item.result.parsed));
      }
      for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
        assert.match(line, /"parsed":\{"id":1\.10\},"input"/);
      }
    }
    assert.equal(server.bodies.length, 2);
  });
}

Deno.test("a restored result of a record with its own schema has that schema's output", async () => {
  using folder = temporaryFolder();
  const server = scriptedServer(DATED_ANSWER);
  await using client = clientOf(server);
  // Only from JavaScript: the type of `parsed` cannot differ from record to record.
  const own = { messages: MESSAGES, options: { responseFormat: DATED } } as unknown as BatchInput;
  const options = { output: folder.file("out.jsonl"), responseFormat: z.json() };
  for (const batch of [options, { output: options.output }]) {
    const { results } = await client.chatCompletionsBatch([own], batch);
    assert.deepEqual(results.map((item) => item.status === "success" && item.result.parsed), [
      DATED_VALUE,
    ]);
  }
  assert.equal(server.bodies.length, 1);
});

Deno.test("a restored answer that a changed schema rejects is an error, and stays in the file", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  await using client = clientOf(scriptedServer(GOOD));
  const stars = (minimum: number) =>
    z.object({ mood: z.string(), stars: z.int().refine((n) => n >= minimum, "too few stars") });
  await client.chatCompletionsBatch([MESSAGES], { output, responseFormat: stars(1) });
  const before = readFileSync(output, "utf8");
  const options = { output, responseFormat: stars(9) };
  const { results: [item], summary } = await client.chatCompletionsBatch([MESSAGES], options);
  assert.ok(item.status === "error" && item.error instanceof SchemaMismatchError);
  assert.match(item.error.message, /#\/stars: too few stars/);
  assert.equal(item.error.result?.content, GOOD);
  assert.deepEqual(summary.errors, { schema_mismatch: 1 });
  assert.deepEqual([summary.restored, summary.succeeded, summary.failed], [0, 0, 1]);
  // The first run has paid for the answer.
  assert.deepEqual([summary.completionTokens, summary.cost, summary.unpriced], [0, 0, 0]);
  assert.equal(readFileSync(output, "utf8"), before);
});

Deno.test("cached answers are validated again, and one that is rejected is requested again", async () => {
  const server = scriptedServer(DATED_ANSWER);
  const cache = { store: "memory" as const };
  const base = { baseUrl: "http://host.invalid/v1", model: "m", fetch: server.fetch, cache };
  await using client = new LLMClient(base);
  const options = { responseFormat: DATED };
  const both = await Promise.all([1, 2].map(() => client.chatCompletions(MESSAGES, options)));
  for (const { parsed } of both) assert.deepEqual(parsed, DATED_VALUE);
  const cached = await client.chatCompletions(MESSAGES, options);
  assert.deepEqual([cached.cached, cached.parsed], [true, DATED_VALUE]);
  const streamed = await client.chatCompletionsStream(MESSAGES, options).finalResult();
  assert.deepEqual([streamed.cached, streamed.parsed], [true, DATED_VALUE]);
  assert.equal(server.bodies.length, 1);

  // The same JSON Schema, so the same key, but a stricter check.
  const strict = DATED.refine(({ id }) => id === 1n, "wrong id");
  await assert.rejects(client.chatCompletions(MESSAGES, { responseFormat: strict }), /wrong id/);
  assert.equal(server.bodies.length, 2);
});

Deno.test("a schema is converted once", async () => {
  await using client = clientOf(scriptedServer("{}"));
  let conversions = 0;
  const schema: StandardSchemaV1 & { "~standard": { jsonSchema: unknown } } = {
    "~standard": {
      version: 1,
      vendor: "own",
      validate: (value) => ({ value }),
      jsonSchema: { input: () => ({ type: "object", title: `Title_${++conversions}` }) },
    },
  };
  for (let i = 0; i < 3; i++) await client.chatCompletions(MESSAGES, { responseFormat: schema });
  assert.equal(conversions, 1);
});

Deno.test("a schema without JSON Schema is refused with what to do", async () => {
  const server = scriptedServer(GOOD);
  await using client = clientOf(server);
  const responseFormat = v.object({ stars: v.number() });
  await assert.rejects(client.chatCompletions(MESSAGES, { responseFormat }), {
    code: "configuration",
    message: "responseFormat: this valibot schema has no JSON Schema",
    hint: "Wrap the schema: toStandardJsonSchema(schema), from @valibot/to-json-schema.",
  });
  const tools: Tool[] = [
    { type: "function", function: { name: "a" } },
    { type: "function", function: { name: "b", parameters: responseFormat } },
  ];
  await assert.rejects(client.chatCompletions(MESSAGES, { tools }), {
    message: "tools[1].function.parameters: this valibot schema has no JSON Schema",
  });
  const own: StandardSchemaV1 = {
    "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) },
  };
  assert.throws(() => client.chatCompletionsStream(MESSAGES, { responseFormat: own }), {
    hint: /standardschema\.dev\/json-schema/,
  });
  assert.equal(server.bodies.length, 0);
});

Deno.test("a type that JSON does not have is refused", async () => {
  await using client = clientOf(scriptedServer(GOOD));
  const responseFormat = z.object({ at: z.date() });
  await assert.rejects(client.chatCompletions(MESSAGES, { responseFormat }), {
    code: "configuration",
    message: /this zod schema cannot be converted to JSON Schema: .*Date/,
  });
  await assert.rejects(client.chatCompletionsBatch([MESSAGES], { responseFormat }), {
    code: "configuration",
  });
});

Deno.test("a transform that throws is a mismatch of that answer", async () => {
  await using client = clientOf(scriptedServer('{"id":"x"}'));
  const responseFormat = z.object({ id: z.string().transform(BigInt) });
  await assert.rejects(client.chatCompletions(MESSAGES, { responseFormat }), {
    code: "schema_mismatch",
    message: /Cannot convert x to a BigInt|Failed to parse String to BigInt/,
  });
});

/** The `json_schema` that is sent for a schema. */
async function sentSchema(responseFormat: StandardSchemaV1) {
  const server = scriptedServer("{}");
  await using client = clientOf(server);
  await client.chatCompletions(MESSAGES, { responseFormat });
  const { json_schema } = server.bodies[0].response_format as {
    json_schema: { name: string; schema: Record<string, unknown> };
  };
  return json_schema;
}

Deno.test("nested objects are closed, open ones and allOf stay open", async () => {
  const { name, schema } = await sentSchema(
    z.object({
      list: z.array(z.object({ a: z.string() })).optional(),
      open: z.looseObject({ b: z.string() }).optional(),
    }).meta({ title: "Mixed" }),
  );
  assert.equal(name, "Mixed");
  const { list, open } = schema.properties as Record<string, Record<string, unknown>>;
  assert.equal((list.items as Record<string, unknown>).additionalProperties, false);
  assert.deepEqual(open.additionalProperties, {});

  const both = v.intersect([
    v.object({ c: v.optional(v.string()) }),
    v.object({ d: v.optional(v.string()) }),
  ]);
  const { schema: { allOf } } = await sentSchema(toStandardJsonSchema(both));
  for (const part of allOf as object[]) assert.equal("additionalProperties" in part, false);
});

Deno.test("the root of a schema with an id is an object, not a reference", async () => {
  const Node = z.object({
    name: z.string(),
    get children() {
      return z.array(Node);
    },
  }).meta({ id: "node" });
  const schema = z.object({ root: Node });
  const { schema: nested } = await sentSchema(Node.catch({ name: "", children: [] }));
  assert.equal(nested.$ref, undefined);
  assert.equal(nested.type, "object");
  assert.equal(nested.additionalProperties, false);
  assert.ok("node" in (nested.$defs as object));
  assert.equal((await sentSchema(schema.partial())).schema.type, "object");
});

Deno.test("a record's own schemas are converted, and a bad one fails that record only", async () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const server = scriptedServer(GOOD);
  await using client = clientOf(server);
  const tool = (parameters: StandardSchemaV1): Tool => ({
    type: "function",
    function: { name: "rate", parameters },
  });
  const inputs = [SCHEMAS.zod, v.object({}), SCHEMAS.arktype].map((schema) => ({
    messages: MESSAGES,
    options: { tools: [tool(schema)] },
  }));
  const { results } = await client.chatCompletionsBatch(inputs);
  assert.deepEqual(results.map(({ status }) => status), ["success", "error", "success"]);
  const good = [inputs[0], inputs[2]];
  await client.chatCompletionsBatch(good, { output });
  const [line] = jsonLines(readFileSync(output, "utf8"));
  assert.equal(line.options.tools[0].function.parameters.type, "object");
  const again = await client.chatCompletionsBatch(good, { output });
  assert.equal(again.summary.restored, 2);
});
