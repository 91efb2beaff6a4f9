/** A call that continues a stored response goes to the endpoint that has it, on a route with several. */
import assert from "node:assert/strict";
import { StoredResponses } from "../../lib/gateway/stored_responses.ts";
import { gatewayOf } from "../support/gateway.ts";
import { gatewayEndpoint } from "../support/gateway_calls.ts";

/** An account that has stored its own responses only. */
function account(name: string) {
  const stored = new Set<string>();
  let count = 0;
  const fetch = (_url: string, { body }: RequestInit) => {
    const { previous_response_id: previous, stream } = JSON.parse(String(body));
    if (previous !== undefined && !stored.has(previous)) {
      const error = { message: `Previous response with id '${previous}' not found.` };
      return Promise.resolve(Response.json({ error }, { status: 400 }));
    }
    const id = `resp_${name}${count++}`;
    stored.add(id);
    const content = [{ type: "output_text", text: name, annotations: [] }];
    const response = {
      id,
      object: "response",
      model: "m",
      status: "completed",
      output: [{ type: "message", id: "msg_1", role: "assistant", status: "completed", content }],
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    };
    if (!stream) return Promise.resolve(Response.json(response));
    const events = [
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: name },
      { type: "response.completed", response },
    ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    const headers = { "content-type": "text/event-stream" };
    return Promise.resolve(new Response(events, { headers }));
  };
  return {
    name,
    model: "m",
    api: "responses" as const,
    baseUrl: `https://${name}.example/v1`,
    fetch,
  };
}

for (const stream of [false, true]) {
  Deno.test(`a response is continued where it is stored (stream: ${stream})`, async () => {
    await using gateway = gatewayOf(
      { endpoints: ["a", "b", "c"].map(account) },
      {
        routes: { all: { targets: ["a", "b", "c"], loadBalance: "round_robin", sticky: false } },
      },
    );
    for (let i = 0; i < 6; i++) {
      let previous: string | undefined;
      for (let turn = 0; turn < 4; turn++) {
        const body = {
          model: "all",
          input: `${i} ${turn}`,
          stream,
          previous_response_id: previous,
        };
        const response = await gateway.send("/v1/responses", body);
        const text = await response.text();
        assert.equal(response.status, 200, text);
        [, previous] = /"id":"(resp_\w+)"/.exec(text)!;
      }
    }
  });
}

Deno.test("the oldest responses are forgotten", () => {
  const responses = new StoredResponses();
  const endpoint = gatewayEndpoint({ baseUrl: "http://h/v1" });
  for (let i = 0; i <= 10_000; i++) responses.add({ id: `resp_${i}` }, endpoint);
  assert.equal(responses.find("resp_0"), undefined);
  assert.equal(responses.find("resp_1"), endpoint);
  responses.add({ output: [] }, endpoint);
  assert.equal(responses.find(undefined), undefined);
});
