/** The formats of records, by the fields of real data sets. */
import assert from "node:assert/strict";
import { type Conversion, RecordConverter } from "../../lib/input/formats.ts";
import { Template } from "../../lib/input/template.ts";

function convert(value: unknown, options: Conversion = {}) {
  return new RecordConverter(options).convert(value);
}

/** The messages of a record, as `role: content`. */
function messagesOf(value: unknown, options?: Conversion): string[] {
  const converted = convert(value, options);
  if ("problem" in converted) throw new Error(converted.problem);
  return converted.record.messages.map(({ role, content }) => `${role}: ${content}`);
}

function metadataOf(value: unknown, options?: Conversion) {
  const converted = convert(value, options);
  if ("problem" in converted) throw new Error(converted.problem);
  return converted.record.metadata;
}

Deno.test("ShareGPT conversations become messages without the expected answer", () => {
  const shareGpt = {
    id: "x1",
    conversations: [
      { from: "system", value: "Be brief." },
      { from: "human", value: "Hi" },
      { from: "gpt", value: "Hello" },
      { from: "human", value: "And?" },
      { from: "gpt", value: "Bye" },
    ],
  };
  assert.deepEqual(messagesOf(shareGpt), [
    "system: Be brief.",
    "user: Hi",
    "assistant: Hello",
    "user: And?",
  ]);
  assert.deepEqual(metadataOf(shareGpt), { id: "x1" });
  const roles = {
    conversations: [{ from: "User", value: "Hi" }, { from: "chatgpt", value: "Yo" }],
  };
  assert.deepEqual(messagesOf(roles, { system: "S" }), ["system: S", "user: Hi"]);
  const own = { system: "Own", conversations: [{ from: "human", value: "Hi" }] };
  assert.deepEqual(messagesOf(own), ["system: Own", "user: Hi"]);
  assert.deepEqual(messagesOf(own, { system: "S" }), ["system: S", "user: Hi"]);
});

Deno.test("chat logs keep roles and texts only, and their model is not the one to use", () => {
  const log = {
    conversation_id: "c",
    model: "vicuna-13b",
    conversation: [
      { role: "user", content: "Hi", toxic: false, redacted: true },
      { role: "assistant", content: "Hello", toxic: false },
    ],
  };
  const converted = convert(log);
  assert.deepEqual(converted, {
    record: {
      messages: [{ role: "user", content: "Hi" }],
      metadata: { conversation_id: "c", model: "vicuna-13b" },
      options: undefined,
    },
  });
});

Deno.test("calls and results of tools in ShareGPT get ids", () => {
  const converted = convert({
    conversations: [
      { from: "human", value: "Rain in Rome?" },
      { from: "function_call", value: '{"name":"weather","arguments":{"city":"Rome"}}' },
      { from: "observation", value: "sun" },
      { from: "gpt", value: "No." },
    ],
  });
  assert.ok("record" in converted);
  assert.deepEqual(converted.record.messages.slice(1), [
    {
      role: "assistant",
      content: null,
      tool_calls: [{
        id: "call_1",
        type: "function",
        function: { name: "weather", arguments: '{"city":"Rome"}' },
      }],
    },
    { role: "tool", tool_call_id: "call_1", content: "sun" },
  ]);
});

Deno.test("the formats of other data sets", () => {
  const cases: [record: unknown, messages: string[], metadata?: unknown][] = [
    // databricks-dolly-15k
    [
      { instruction: "Who?", context: "A text", response: "Me", category: "qa" },
      ["user: Who?\n\nA text"],
      { response: "Me", category: "qa" },
    ],
    [{ instruction: "Who?", context: "", response: "Me" }, ["user: Who?"], { response: "Me" }],
    // SQuAD
    [
      { id: "1", title: "T", context: "A text.", question: "What?", answers: { text: ["x"] } },
      ["user: A text.\n\nWhat?"],
      { id: "1", title: "T", answers: { text: ["x"] } },
    ],
    // GSM8K
    [{ question: "1+1?", answer: "2" }, ["user: 1+1?"], { answer: "2" }],
    // TRL: prompt and completion, preferences
    [{ prompt: "P", completion: "C" }, ["user: P"], { completion: "C" }],
    [{ prompt: "P", chosen: "a", rejected: "b" }, ["user: P"], { chosen: "a", rejected: "b" }],
    [{ prompt: [{ role: "user", content: "P" }], completion: [] }, ["user: P"], { completion: [] }],
    // Inspect, OpenAI's evals
    [{ input: "I", target: "T", id: 1 }, ["user: I"], { target: "T", id: 1 }],
    [{ input: [{ role: "user", content: "I" }], ideal: "T" }, ["user: I"], { ideal: "T" }],
    [{ input: "I", output: "O" }, ["user: I"]],
    // Plain texts
    ["Hello", ["user: Hello"]],
    [{ text: "Hello" }, ["user: Hello"]],
    // Columns of other rows in the same file
    [{ messages: null, question: "Q", context: null }, ["user: Q"], {
      messages: null,
      context: null,
    }],
  ];
  for (const [record, messages, metadata] of cases) {
    assert.deepEqual(messagesOf(record), messages);
    assert.deepEqual(metadataOf(record), metadata);
  }
});

Deno.test("an answer at the end of messages is sent, unless it is to be dropped", () => {
  const messages = [{ role: "user", content: "Q" }, { role: "assistant", content: "A" }];
  assert.deepEqual(messagesOf({ messages }), ["user: Q", "assistant: A"]);
  assert.deepEqual(messagesOf({ messages }, { dropAnswer: true }), ["user: Q"]);
  assert.deepEqual(messagesOf({ prompt: messages }, { dropAnswer: true }), ["user: Q"]);
  assert.deepEqual(messagesOf({ q: "Q" }, { dropAnswer: true }), ["user: Q"]);
  const only = convert({ messages: messages.slice(1) }, { dropAnswer: true });
  assert.match("problem" in only ? only.problem : "", /messages: expected a message of the user/);
});

Deno.test("two fields that could be the prompt are an error, unless one is declared metadata", () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ question: "Q", choices: ["a", "b"], answer: 1 }, "choices"],
    [{ question: "Q", options: ["a", "b"] }, "options"],
    [{ prompt: "Translate:", input: "text" }, "input"],
    [{ question: "Q", context: ["a", "b"] }, "context"],
    [{ input: "I", choices: ["a"] }, "choices"],
    [{ q: "Q", prompt: "P" }, "prompt"],
    [{ question: "Q", prompt: [{ role: "user", content: "Q" }] }, "prompt"],
    [{ instruction: "I", question: "Q" }, "question"],
    [{ question: "Q", conversations: [{ from: "human", value: "Hi" }] }, "question"],
  ];
  for (const [record, second] of cases) {
    const converted = convert(record);
    assert.ok("problem" in converted, JSON.stringify(record));
    assert.match(converted.problem, new RegExp(`and "${second}" could both be part of the prompt`));
    assert.match(converted.hint!, new RegExp(`--template "{{.*--as-metadata ${second}`));
    assert.ok("record" in convert(record, { asMetadata: [second] }));
  }
  for (
    const record of [{ q: "Q", prompt: "Q" }, { q: "", prompt: "Q" }, { question: "Q", q: "" }]
  ) {
    assert.deepEqual(messagesOf(record), ["user: Q"]);
  }
  assert.deepEqual(metadataOf({ q: "Q", choices: ["a"] }, { asMetadata: ["choices"] }), {
    choices: ["a"],
  });
});

Deno.test("unknown fields are listed, and a template with one of them is suggested", () => {
  const cases: [record: unknown, found: RegExp, hint: string | undefined][] = [
    [{ text: "A long review", label: 1 }, /found "text", "label"$/, "{{text}}"],
    [{ id: "a much longer identifier", review: "Good" }, /found "id", "review"$/, "{{review}}"],
    [{ vars: { topic: "tea" }, assert: [] }, /found "vars", "assert"$/, "{{vars.topic}}"],
    [{ turns: ["One", "Two"] }, /found "turns"$/, "{{turns.0}}"],
    [{ input: { a: "b" } }, /^input: expected a prompt, got {"a":"b"}$/, "{{input.a}}"],
    [
      { index: 0, status: "success", input: [], output: "An answer" },
      /found "index"/,
      "{{output}}",
    ],
    [{}, /found no fields$/, undefined],
  ];
  for (const [record, found, field] of cases) {
    const converted = convert(record);
    assert.ok("problem" in converted);
    assert.match(converted.problem, found);
    const hint = field === undefined ? undefined : `Set the prompt: --template "… ${field} …"`;
    assert.equal(converted.hint, hint);
  }
});

Deno.test("conversations that cannot be sent are refused with the turn and the reason", () => {
  const turns = (...conversations: unknown[]) => ({ conversations });
  const cases: [unknown, RegExp][] = [
    [{ conversations: "Hi" }, /^conversations: expected a list of turns .*, got "Hi"$/],
    [turns("Hi", "Hello"), /^conversations: expected a list of turns/],
    [turns({ from: "alien", value: "x" }), /^conversations\[0\]\.from: .*, got "alien"$/],
    [turns({ from: "human", value: 1 }), /^conversations\[0\]\.value: expected a string, got 1$/],
    [turns({ from: "human", value: null }), /^conversations\[0\]\.value: .*, got null$/],
    [turns({ from: "human" }), /^conversations\[0\]\.value: expected a string, got nothing$/],
    [turns({ from: "human", value: "" }), /^conversations: expected text, got empty turns$/],
    [turns({ from: "gpt", value: "x" }), /^conversations: expected a turn of the user$/],
    [turns({ from: "human", value: "<image>\nWhat?" }), /^conversations\[0\]: <image> and similar/],
    [
      { image: "a.jpg", ...turns({ from: "human", value: "x" }) },
      /^image: only images in "messages"/,
    ],
    [turns({ from: "tool", value: "x" }), /^conversations\[0\]: the result of a tool needs/],
    [
      turns({ from: "human", value: "x" }, { from: "function_call", value: "weather()" }),
      /^conversations\[1\]: expected a call as JSON/,
    ],
  ];
  for (const [record, pattern] of cases) {
    const converted = convert(record);
    assert.match("problem" in converted ? converted.problem : "no problem", pattern);
  }
});

Deno.test("a string is {{text}} for a template", () => {
  const template = new Template("Translate: {{text}}", "the template");
  assert.deepEqual(messagesOf("Hi", { template }), ["user: Translate: Hi"]);
  assert.deepEqual(metadataOf("Hi", { template }), { text: "Hi" });
});
