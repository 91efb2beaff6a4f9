/**
 * The forms of an input record, and how each becomes a conversation. They are the Python tool's:
 *
 * - `messages`: a conversation in OpenAI's form;
 * - `instruction`, optionally `input`: Alpaca;
 * - `q`, `question` or `prompt`, optionally `system`: a simple question.
 *
 * All other fields become metadata.
 *
 * @module
 */
import type { BatchRecord } from "../batch/batch.ts";
import { type Message, messagesProblem } from "../chat/messages.ts";

const QUESTION_FIELDS = ["q", "question", "prompt"];

/** A record, or what is wrong with the value it was to be made of. */
export type Converted = { record: BatchRecord } | { problem: string };

type Fields = Record<string, unknown>;

function metadataOf(fields: Fields, used: readonly string[]): Fields | undefined {
  const rest = Object.entries(fields).filter(([name]) => !used.includes(name));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

function expectString(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === "string") return undefined;
  return `${name}: expected a string, got ${JSON.stringify(value)}`;
}

function ask(system: unknown, content: string): Message[] {
  const question: Message = { role: "user", content };
  return system ? [{ role: "system", content: String(system) }, question] : [question];
}

function fromMessages(fields: Fields, system: string | undefined): Converted {
  const problem = messagesProblem(fields.messages);
  if (problem !== undefined) return { problem };
  let messages = fields.messages as Message[];
  const hasSystem = messages.some(({ role }) => role === "system" || role === "developer");
  if (system !== undefined && !hasSystem) {
    messages = [{ role: "system", content: system }, ...messages];
  }
  return { record: { messages, metadata: metadataOf(fields, ["messages"]) } };
}

function fromAlpaca(fields: Fields, system: string | undefined): Converted {
  const { instruction, input } = fields;
  const problem = expectString(fields, "instruction") ??
    (input === undefined || input === null ? undefined : expectString(fields, "input"));
  if (problem !== undefined) return { problem };
  const content = input ? `${instruction}\n\n${input}` : String(instruction);
  // The expected answer of a training set is not sent, and would be mistaken for ours.
  const metadata = metadataOf(fields, ["instruction", "input", "output"]);
  return { record: { messages: ask(system, content), metadata } };
}

function fromQuestion(fields: Fields, name: string, system: string | undefined): Converted {
  const problem = expectString(fields, name) ??
    (fields.system === undefined || fields.system === null
      ? undefined
      : expectString(fields, "system"));
  if (problem !== undefined) return { problem };
  const messages = ask(system ?? fields.system, String(fields[name]));
  return { record: { messages, metadata: metadataOf(fields, [name, "system"]) } };
}

/**
 * Converts one input value. `system` is the system prompt for all records: it takes the place of a
 * question's own, and is added to conversations that have none.
 */
export function toBatchRecord(value: unknown, system: string | undefined): Converted {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: `expected a JSON object, got ${JSON.stringify(value).slice(0, 60)}` };
  }
  const fields = value as Fields;
  if ("messages" in fields) return fromMessages(fields, system);
  if ("instruction" in fields) return fromAlpaca(fields, system);
  const name = QUESTION_FIELDS.find((field) => field in fields);
  if (name !== undefined) return fromQuestion(fields, name, system);
  const found = Object.keys(fields).map((field) => `"${field}"`).join(", ") || "no field at all";
  return {
    problem:
      `expected a field "messages", "instruction", "q", "question" or "prompt", found ${found}`,
  };
}
