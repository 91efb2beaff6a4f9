/** The unmodified package of Google talks to every provider through the gateway. */
import assert from "node:assert/strict";
import {
  type Candidate,
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentParameters,
  GoogleGenAI,
  type Part,
  ThinkingLevel,
} from "@google/genai";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import type { GatewayOptions, MockOptions } from "../../../mod.ts";
import {
  type ClientGateway,
  PIXEL,
  PROVIDER_NAMES,
  startClientGateway,
  WEATHER,
  WEATHER_SCHEMA,
} from "../../support/client_gateway.ts";

const HELLO: Content[] = [{ role: "user", parts: [{ text: "Hello there" }] }];
const IMAGE: Part = { inlineData: { mimeType: "image/png", data: PIXEL } };
const TOOLS = [{
  functionDeclarations: [{ name: "get_weather", parametersJsonSchema: WEATHER_SCHEMA }],
}];

async function withSdk(
  use: (sdk: GoogleGenAI, gateway: ClientGateway) => Promise<void>,
  mock: MockOptions = {},
  options: GatewayOptions = {},
  apiKey = "none",
) {
  await using gateway = await startClientGateway(mock, options);
  await use(new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.origin } }), gateway);
}

interface Answer {
  parts: Part[];
  finish: Candidate["finishReason"];
  total: number;
}

const textOf = ({ parts }: Answer) =>
  parts.filter(({ thought }) => !thought).map(({ text }) => text ?? "").join("");

/** Sends a request plain and streamed. */
async function both(sdk: GoogleGenAI, request: GenerateContentParameters): Promise<Answer[]> {
  const plain = await sdk.models.generateContent(request);
  const streamed: Answer = { parts: [], finish: undefined, total: 0 };
  for await (const chunk of await sdk.models.generateContentStream(request)) {
    streamed.parts.push(...chunk.candidates?.[0]?.content?.parts ?? []);
    streamed.finish = chunk.candidates?.[0]?.finishReason ?? streamed.finish;
    streamed.total = chunk.usageMetadata?.totalTokenCount ?? streamed.total;
  }
  const [{ content, finishReason }] = plain.candidates!;
  const total = plain.usageMetadata!.totalTokenCount!;
  return [{ parts: content!.parts!, finish: finishReason, total }, streamed];
}

for (const model of PROVIDER_NAMES) {
  Deno.test(`@google/genai, ${model}: thoughts, and their return in the next turn`, () =>
    withSdk(async (sdk, { upstream }) => {
      const thinkingConfig = { includeThoughts: true, thinkingLevel: ThinkingLevel.LOW };
      const config = { thinkingConfig, systemInstruction: "Be brief.", maxOutputTokens: 2000 };
      const answers = await both(sdk, { model, contents: HELLO, config });
      const [plain, streamed] = answers;
      assert.match(textOf(plain), /Hello there/);
      assert.equal(textOf(streamed), textOf(plain));
      assert.deepEqual([plain.finish, streamed.finish], ["STOP", "STOP"]);
      assert.equal(streamed.total, plain.total);
      for (const { parts } of answers) {
        assert.ok(parts.some(({ thought }) => thought));
        const next = [...HELLO, { role: "model", parts }, {
          role: "user",
          parts: [{ text: "Now?" }],
        }];
        for (const second of await both(sdk, { model, contents: next, config })) {
          assert.equal(second.finish, "STOP");
        }
      }
      assert.ok(upstream.every(({ status }) => status === 200));
    }));

  Deno.test(`@google/genai, ${model}: a tool call and its result, with an image`, () =>
    withSdk(async (sdk, { upstream }) => {
      const contents = [{ role: "user", parts: [{ text: "What is the weather here?" }, IMAGE] }];
      const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } };
      const forced = { model, contents, config: { tools: TOOLS, toolConfig } };
      for (const { parts } of await both(sdk, forced)) {
        const call = parts.find(({ functionCall }) => functionCall)!.functionCall!;
        assert.deepEqual([call.name, call.args], ["get_weather", WEATHER]);
        const functionResponse = { id: call.id, name: call.name, response: { output: "Sunny." } };
        const next = [...contents, { role: "model", parts }, {
          role: "user",
          parts: [{ functionResponse }],
        }];
        for (
          const second of await both(sdk, { model, contents: next, config: { tools: TOOLS } })
        ) {
          assert.equal(second.finish, "STOP");
          assert.notEqual(textOf(second), "");
        }
      }
      assert.ok(upstream.every(({ body }) => JSON.stringify(body).includes(PIXEL)));
      assert.match(JSON.stringify(upstream.at(-1)!.body), /Sunny\./);
    }));

  Deno.test(`@google/genai, ${model}: structured output, token counts, unknown models`, () =>
    withSdk(async (sdk) => {
      const config = {
        responseMimeType: "application/json",
        responseJsonSchema: WEATHER_SCHEMA,
      };
      for (const answer of await both(sdk, { model, contents: "Hi", config })) {
        assert.deepEqual(JSON.parse(textOf(answer)), WEATHER);
      }
      const { totalTokens } = await sdk.models.countTokens({ model, contents: HELLO });
      assert.ok(totalTokens! > 0);
      await assert.rejects(sdk.models.generateContent({ model: "nope", contents: "Hi" }), {
        status: 404,
        message: /nope/,
      });
    }));

  Deno.test(`@google/genai, ${model}: errors of the provider`, async () => {
    const request = { model, contents: "Hi" };
    await withSdk(async (sdk) => {
      const asks = [
        sdk.models.generateContent(request),
        sdk.models.generateContentStream(request),
      ];
      for (const ask of asks) await assert.rejects(ask, { status: 503 });
    }, { responses: [{ status: 503, text: "Down for maintenance." }] });
    await withSdk(async (sdk) => {
      let finish: unknown;
      const read = (async () => {
        for await (const { candidates } of await sdk.models.generateContentStream(request)) {
          finish = candidates?.[0]?.finishReason ?? finish;
        }
      })();
      await assert.rejects(read);
      assert.equal(finish, undefined);
    }, { errorRate: 1, errorKinds: ["disconnect"] });
  });
}

Deno.test("@google/genai: lists the models of the key, embeds, and reads the gateway's own errors", async () => {
  const access = await openAccess({});
  const limited = await access.keys.create("limited", { rpm: 2, models: ["gemini", "claude"] });
  const poor = await access.keys.create("poor", { budget: { total: 0.000001 } });
  const request = { model: "gemini", contents: "Hi" };
  await withSdk(
    async (sdk) => {
      const names: (string | undefined)[] = [];
      for await (const { name } of await sdk.models.list()) names.push(name);
      assert.deepEqual(names, ["models/claude", "models/gemini"]);
      assert.equal((await sdk.models.get({ model: "claude" })).name, "models/claude");
      await assert.rejects(sdk.models.generateContent({ ...request, model: "chat" }), {
        status: 403,
      });
      const { embeddings } = await sdk.models.embedContent({ model: "gemini", contents: ["a"] });
      assert.ok(embeddings![0].values!.length > 1);
      await sdk.models.generateContent(request);
      await assert.rejects(sdk.models.generateContent(request), { status: 429 });
    },
    {},
    { access },
    limited.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.models.generateContent(request), { status: 402, message: /poor/ }),
    {},
    { access },
    poor.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.models.generateContent(request), { status: 401 }),
    {},
    { access },
  );
});
