/**
 * Converts the conversations of training data to messages: those of ShareGPT (`from` and `value`), and
 * those of published chat logs (`role` and `content` among other fields).
 *
 * Sources: the dataset formats of Axolotl ("Conversation"), LLaMA-Factory ("Sharegpt Format") and
 * FastChat; the data cards of lmsys/lmsys-chat-1m, allenai/WildChat and NousResearch/hermes-function-calling-v1.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import { asObject, type Json } from "../json/json.ts";
import { shown } from "./option_fields.ts";

/** The roles by their names in training data. */
const ROLES: Record<string, "system" | "user" | "assistant" | "call" | "tool"> = {
  system: "system",
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  chatgpt: "assistant",
  bing: "assistant",
  bard: "assistant",
  model: "assistant",
  function_call: "call",
  tool_call: "call",
  tool: "tool",
  observation: "tool",
  function_response: "tool",
};

type Read = { messages: Message[] } | { problem: string };

/** The calls in a `function_call` turn: one or more objects with `name` and `arguments`, as JSON. */
function toolCalls(text: string, id: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const calls = [value].flat().map(asObject);
  if (calls.length === 0 || calls.some((call) => typeof call?.name !== "string")) return undefined;
  return {
    role: "assistant",
    content: null,
    tool_calls: calls.map((call, i) => ({
      id: calls.length === 1 ? id : `${id}_${i}`,
      type: "function" as const,
      function: {
        name: String(call!.name),
        arguments: typeof call!.arguments === "string"
          ? call!.arguments
          : JSON.stringify(call!.arguments ?? {}),
      },
    })),
  };
}

/** Whether `value` is a conversation of training data: a list of turns. */
export function isTrainingConversation(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every((turn) => {
    const fields = asObject(turn);
    return fields !== undefined && (fields.from ?? fields.role) !== undefined;
  });
}

/**
 * Converts the turns of a conversation. An answer at its end is the expected one, and is left out.
 *
 * @param field the name of the field that contains it, for messages
 */
export function trainingMessages(turns: readonly unknown[], field: string): Read {
  const messages: Message[] = [];
  /** The ids of calls whose results have not come yet. */
  let openCalls: string[] = [];
  for (const [i, turn] of turns.entries()) {
    const fields = asObject(turn) as Json;
    const name = "from" in fields ? "from" : "role";
    const content = fields.value ?? fields.content ?? fields.value;
    const role = typeof fields[name] === "string"
      ? ROLES[(fields[name] as string).toLowerCase()]
      : undefined;
    const path = `${field}[${i}]`;
    if (role === undefined) {
      return {
        problem: `${path}.${name}: expected human, gpt, system, function_call or observation, got ${
          shown(fields[name])
        }`,
      };
    }
    if (typeof content !== "string") {
      return {
        problem: `${path}.${"content" in fields ? "content" : "value"}: expected a string, got ${
          content === undefined ? "nothing" : shown(content)
        }`,
      };
    }
    if (/<(image|video|audio)>/.test(content)) {
      return { problem: `${path}: <image> and similar placeholders cannot be sent` };
    }
    if (role === "call") {
      const message = toolCalls(content, `call_${i}`);
      if (message === undefined) {
        return {
          problem: `${path}: expected a call as JSON with "name" and "arguments", got ${
            shown(content)
          }`,
        };
      }
      if (message.role === "assistant") openCalls = message.tool_calls!.map(({ id }) => id);
      messages.push(message);
    } else if (role === "tool") {
      const id = openCalls.shift();
      if (id === undefined) {
        return { problem: `${path}: the result of a tool needs a function_call turn before it` };
      }
      messages.push({ role: "tool", tool_call_id: id, content });
    } else {
      messages.push({ role, content } as Message);
    }
  }
  while (messages.at(-1)?.role === "assistant") messages.pop();
  if (messages.length > 0 && messages.every(({ content }) => content === "")) {
    return { problem: `${field}: expected text, got empty turns` };
  }
  const last = messages.at(-1)?.role;
  return last === "user" || last === "tool"
    ? { messages }
    : { problem: `${field}: expected a turn of the user` };
}
