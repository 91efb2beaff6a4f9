/** Request bodies: size, encodings, and what the gateway itself checks of their content. */
import assert from "node:assert/strict";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { readBody } from "../../../lib/gateway/http/read_body.ts";
import { HttpGateway } from "../../support/http_gateway.ts";

const PATH = "/v1/chat/completions";
const BODY = { model: "model", messages: [{ role: "user", content: "Grüße 👋" }] };
const TEXT = JSON.stringify(BODY);

Deno.test("decompresses the bodies of clients", async () => {
  await using gateway = new HttpGateway();
  for (
    const [encoding, bytes] of [
      ["gzip", gzipSync(TEXT)],
      ["x-gzip", gzipSync(TEXT)],
      ["deflate", deflateSync(TEXT)],
      ["deflate", deflateRawSync(TEXT)],
      ["br", brotliCompressSync(TEXT)],
      ["zstd", zstdCompressSync(TEXT)],
      ["identity", new TextEncoder().encode(TEXT)],
    ] as const
  ) {
    const headers = { "content-encoding": encoding };
    const response = await gateway.send(PATH, { headers, body: new Uint8Array(bytes) });
    assert.equal(response.status, 200, encoding);
    assert.equal(gateway.sent.at(-1)!.text, TEXT);
    assert.equal(gateway.sent.at(-1)!.headers.get("content-encoding"), null);
  }
});

Deno.test("refuses unknown encodings and broken ones", async () => {
  await using gateway = new HttpGateway();
  for (const encoding of ["compress", "gzip, gzip", "br, gzip"]) {
    const headers = { "content-encoding": encoding };
    const { status, error } = await gateway.error(PATH, { headers, body: TEXT });
    assert.deepEqual([status, error.code], [415, "unsupported_encoding"]);
  }
  for (const encoding of ["gzip", "deflate", "br", "zstd"]) {
    const headers = { "content-encoding": encoding };
    const { status, error } = await gateway.error(PATH, { headers, body: TEXT });
    assert.equal(status, 400, encoding);
    assert.equal(error.message, `the request body is not valid ${encoding}`);
  }
});

Deno.test("limits the size of bodies, also of those that grow when they are decompressed", async () => {
  await using gateway = new HttpGateway({ maxBodyBytes: 1000 });
  const large = JSON.stringify({ ...BODY, padding: "x".repeat(2000) });
  const message = "the request body is larger than 1000 bytes. " +
    "Send less, or ask the operator of the gateway to raise max_body.";
  const plain = await gateway.error(PATH, { body: large });
  assert.deepEqual([plain.status, plain.error.message], [413, message]);
  const headers = { "content-length": "2000" };
  assert.equal((await gateway.error(PATH, { body: TEXT, headers })).status, 413);
  const small = gzipSync(large);
  assert(small.length < 1000);
  const bomb = await gateway.error(PATH, {
    headers: { "content-encoding": "gzip" },
    body: new Uint8Array(small),
  });
  assert.equal(bomb.status, 413);
  assert.match(String(bomb.error.message), /^the decompressed request body is larger/);
  assert.equal(gateway.sent.length, 0);
});

Deno.test("stops reading a body of unknown length at the limit", async () => {
  await using gateway = new HttpGateway({ maxBodyBytes: 1000 });
  let chunks = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks++;
      controller.enqueue(new Uint8Array(400));
    },
    cancel() {
      isCancelled = true;
    },
  });
  assert.equal((await gateway.error(PATH, { body })).status, 413);
  assert(isCancelled && chunks < 10, `${chunks} chunks`);
});

Deno.test("a body that breaks off is no error of the gateway", async () => {
  const broken = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"model":')),
      pull: (controller) => controller.error(new TypeError("request body was not fully received")),
    }, { highWaterMark: 0 });
  await using gateway = new HttpGateway();
  for (const headers of [{}, { "content-length": "500" }] as Record<string, string>[]) {
    const { status } = await gateway.error(PATH, { headers, body: broken() });
    assert.equal(status, 499);
  }
});

Deno.test("does not wait for ever for a body", async () => {
  const body = new ReadableStream();
  const request = new Request(
    "http://gateway/",
    { method: "POST", body, duplex: "half" } as RequestInit,
  );
  // The timer of a deadline does not keep the process alive; an open connection would.
  const connection = setInterval(() => {}, 1000);
  try {
    await assert.rejects(readBody(request, 1000, 0.01), {
      status: 408,
      message: "the request body did not arrive within 0.01 s",
    });
  } finally {
    clearInterval(connection);
  }
});

Deno.test("names what is wrong with a body, in the client's format", async () => {
  await using gateway = new HttpGateway();
  const deep = `{"model":"model","x":${"[".repeat(600)}${"]".repeat(600)}}`;
  for (
    const [body, message] of [
      ["", "the request has no body. Send a JSON object."],
      [" \n", "the request has no body. Send a JSON object."],
      ["[]", "the request body must be a JSON object, not an array"],
      ["null", "the request body must be a JSON object, not null"],
      ['"model"', "the request body must be a JSON object, not a string"],
      [deep, "the request body is nested more than 500 levels deep"],
      ["{}", "the model is missing. Set it to one of the names in GET /v1/models."],
      ['{"model":""}', "the model is missing. Set it to one of the names in GET /v1/models."],
      ['{"model":7}', '"model" must be a string, not a number'],
      ['{"model":["model"]}', '"model" must be a string, not an array'],
      ['{"model":"a","model":"model"}', '"model" occurs more than once in the request body'],
      ['{"model":"model","Model":"a"}', '"model" occurs more than once in the request body'],
      ['{"\\u006dodel":"a","model":"model"}', '"model" occurs more than once in the request body'],
    ]
  ) {
    const chat = await gateway.error(PATH, { body });
    assert.deepEqual([chat.status, chat.error.message], [400, message]);
    const anthropic = await gateway.error("/v1/messages", { body });
    assert.deepEqual(anthropic.error, { type: "invalid_request_error", message });
  }
  const invalid = await gateway.error(PATH, { body: '{\n  "model": model\n}' });
  assert.equal(invalid.status, 400);
  assert.equal(
    invalid.error.message,
    "the request body is not valid JSON: invalid symbol at line 2, column 12",
  );
  const utf8 = await gateway.error(PATH, { body: new Uint8Array([0x7b, 0xff, 0x7d]) });
  assert.deepEqual([utf8.status, utf8.error.message], [400, "the request body is not valid UTF-8"]);
  assert.equal(gateway.sent.length, 0);
});

Deno.test("passes on what it does not know", async () => {
  await using gateway = new HttpGateway();
  const text = '{"model" : "model", "messages":[], "new_field":{"a":1.0,"n":12345678901234567890}}';
  assert.equal((await gateway.send(PATH, { body: text })).status, 200);
  assert.equal(gateway.sent[0].text, text);
});

Deno.test("tolerates a byte order mark", async () => {
  await using gateway = new HttpGateway();
  assert.equal((await gateway.send(PATH, { body: `\ufeff${TEXT}` })).status, 200);
  assert.equal(gateway.sent[0].text, TEXT);
});

Deno.test("answers bodies of the Responses API on the path of chat completions", async () => {
  await using gateway = new HttpGateway();
  const body = {
    model: "model",
    instructions: "Be brief.",
    input: [
      { role: "user", content: [{ type: "input_text", text: "Hi" }] },
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "42" },
    ],
    tools: [{ type: "function", name: "f", parameters: { type: "object" }, strict: false }],
    reasoning: { effort: "low" },
    store: false,
    include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
  };
  const response = await gateway.send(PATH, { body });
  assert.equal(response.headers.get("x-flexllm-dropped"), "include");
  assert.equal((await response.json()).object, "chat.completion");
  const sent = gateway.sent[0].body;
  assert.deepEqual(
    (sent.messages as { role: string }[]).map(({ role }) => role),
    ["developer", "user", "assistant", "tool"],
  );
  assert.equal(sent.reasoning_effort, "low");
  assert.deepEqual(sent.tools, [{
    type: "function",
    function: { name: "f", parameters: { type: "object" } },
  }]);
  const { status, error } = await gateway.error(PATH, {
    body: { model: "model", input: "Hi", previous_response_id: "resp_1" },
  });
  assert.deepEqual([status, error.param], [400, "previous_response_id"]);
});
