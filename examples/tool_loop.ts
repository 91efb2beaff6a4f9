/**
 * Runs the tools that a model calls until it answers. The loop works with every provider, because `message`
 * carries everything that the provider needs back.
 *
 *     deno run -A examples/tool_loop.ts "Shall I cycle to work in Oslo?"   # without a key: the mock
 *
 *     FLEXLLM_BASE_URL=https://api.anthropic.com/v1 FLEXLLM_API_KEY=… \
 *       FLEXLLM_MODEL=claude-haiku-4-5 deno run -A examples/tool_loop.ts
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { LLMClient, type Message, type Tool } from "@flexllm/flexllm";

const tools: Tool[] = [{
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city now",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Oslo", "Lisbon", "Nairobi"] } },
      required: ["city"],
    },
  },
}];

const weather: Record<string, string> = {
  Oslo: "-3 °C, snow",
  Lisbon: "16 °C, clear",
  Nairobi: "22 °C, light rain",
};

/** The output of a tool. Errors go back to the model, which can then correct its call. */
function run(name: string, json: string): string {
  if (name !== "get_weather") return `error: there is no tool ${name}`;
  try {
    const { city } = JSON.parse(json);
    return weather[city] ?? `error: no weather for ${city}`;
  } catch {
    return "error: the arguments are not valid JSON";
  }
}

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey, model });

const question = process.argv[2] ?? "What should I wear in Oslo today?";
const messages: Message[] = [{ role: "user", content: question }];
// A limit for models that never stop calling.
for (let turn = 0; turn < 5; turn++) {
  const toolChoice = turn === 0 ? "required" : "auto";
  const { content, message, toolCalls } = await client.chatCompletions(messages, {
    tools,
    toolChoice,
  });
  messages.push(message);
  if (toolCalls.length === 0) {
    console.log(content);
    break;
  }
  for (const { id, function: call } of toolCalls) {
    const result = run(call.name, call.arguments);
    console.error(`${call.name}(${call.arguments}) = ${result}`);
    messages.push({ role: "tool", tool_call_id: id, content: result });
  }
}
