/**
 * Finds the conversation in a record by the names of its fields. The first format that fits is the one
 * that the record is read as; if two fields could both be the prompt, that is an error:
 *
 * - `messages`: a conversation in OpenAI's format;
 * - `instruction`, optionally `input` (Alpaca) or `context` (Dolly);
 * - `q`, `question` or `prompt`, optionally `system`: a prompt, or a conversation as in TRL's
 *   conversational datasets; with `question`, optionally `context` (SQuAD);
 * - `conversations` or `conversation`: ShareGPT, or a chat log;
 * - `input`: a prompt or a conversation, as in Inspect and OpenAI's evals;
 * - `text` without any other field: a prompt.
 *
 * @module
 */
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { Json } from "../json/json.ts";
import { shown } from "./option_fields.ts";
import { listedFields, templateHint } from "./suggest_template.ts";
import { isTrainingConversation, trainingMessages } from "./training_conversation.ts";

const PROMPT_FIELDS = ["q", "question", "prompt"];
const CONVERSATION_FIELDS = ["conversations", "conversation"];
const IMAGE_FIELDS = ["image", "images"];
/** A record needs one of these fields, unless there is a template. */
export const CONTENT_FIELDS: readonly string[] = [
  "messages",
  "instruction",
  ...PROMPT_FIELDS,
  ...CONVERSATION_FIELDS,
  "input",
];
/** Fields that affect the prompt, unless they are declared to be metadata. */
export const PROMPT_DATA_FIELDS: readonly string[] = [
  ...CONTENT_FIELDS,
  ...["context", "choices", "options"],
  ...IMAGE_FIELDS,
];

/** Why a record has no conversation, and what to do about it. */
export interface ContentProblem {
  problem: string;
  hint?: string;
}

/** The conversation of a record. */
export interface Content {
  messages: Message[];
  /** The fields that it was made of. They are not metadata. */
  used: readonly string[];
  /** Whether all other fields are metadata, even if they are named like options. */
  hasNoOptions?: boolean;
}

/** How a conversation is read. */
export interface ContentOptions {
  /** The system prompt for all records. */
  system?: string;
  /** Fields that are metadata in any case. */
  asMetadata: ReadonlySet<string>;
  /** Whether to leave out an answer at the end of a conversation in OpenAI's format. */
  dropAnswer: boolean;
}

/** Whether `fields` are a line of a result file, whose `model` and `thinking` belong to the answer. */
export function isResult(fields: Json): boolean {
  return (fields.status === "success" || fields.status === "error") && "index" in fields &&
    "output" in fields && "input" in fields;
}

/** A conversation of one prompt. */
export function promptMessages(system: unknown, content: string): Message[] {
  const prompt: Message = { role: "user", content };
  return system ? [{ role: "system", content: String(system) }, prompt] : [prompt];
}

/** Adds the system prompt to a conversation that has none. */
export function withSystem(messages: Message[], system: string | undefined): Message[] {
  const hasSystem = messages.some(({ role }) => role === "system" || role === "developer");
  return system === undefined || hasSystem
    ? messages
    : [{ role: "system", content: system }, ...messages];
}

function stringProblem(fields: Json, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? undefined : `${name}: expected a string, got ${shown(value)}`;
}

/** Two fields could be, or belong to, the prompt. */
function ambiguous(fields: Json, first: string, second: string): ContentProblem {
  return {
    problem: `"${first}" and "${second}" could both be part of the prompt; the fields are ${
      listedFields(fields)
    }`,
    hint: `Set the prompt: --template "{{${first}}} {{${second}}}", or leave a field out of it: ` +
      `--as-metadata ${second}`,
  };
}

/** Finds conversations in records. */
export class ContentReader {
  readonly #options: ContentOptions;

  /** @param options how conversations are read */
  constructor(options: ContentOptions) {
    this.#options = options;
  }

  /** The conversation in `fields`. */
  read(fields: Json): Content | ContentProblem {
    if (this.#has(fields, "messages")) {
      const problem = messagesProblem(fields.messages);
      if (problem !== undefined) return { problem };
      const { system } = this.#options;
      return this.#messages(fields.messages as Message[], system, ["messages"]);
    }
    if (this.#has(fields, "instruction")) return this.#instruction(fields);
    const prompt = this.#promptField(fields) ?? (this.#hasInput(fields) ? "input" : undefined);
    const conversation = CONVERSATION_FIELDS.find((name) => this.#has(fields, name));
    if (conversation === undefined) {
      return prompt === undefined ? this.#other(fields) : this.#prompt(fields, prompt);
    }
    return prompt === undefined
      ? this.#conversation(fields, conversation)
      : ambiguous(fields, conversation, prompt);
  }

  /** Whether a field has a value, and is not declared to be metadata. */
  #has(fields: Json, name: string): boolean {
    const value = fields[name];
    return value !== undefined && value !== null && !this.#options.asMetadata.has(name);
  }

  /** The first prompt that is not empty; if all are empty, the first one. */
  #promptField(fields: Json): string | undefined {
    let first: string | undefined;
    for (const name of PROMPT_FIELDS) {
      if (!this.#has(fields, name)) continue;
      if (fields[name] !== "") return name;
      first ??= name;
    }
    return first;
  }

  /** Whether the field `input` is a prompt: not that of a result, and not variables. */
  #hasInput(fields: Json): boolean {
    const isPrompt = typeof fields.input === "string" || Array.isArray(fields.input);
    return isPrompt && !isResult(fields) && this.#has(fields, "input");
  }

  /** Another prompt than that in the field `name`. */
  #secondPrompt(fields: Json, name: string): ContentProblem | undefined {
    for (const other of PROMPT_FIELDS) {
      const value = fields[other];
      if (value === undefined || value === fields[name] || !this.#has(fields, other)) continue;
      const isPrompt = typeof value === "string" ? value.trim() !== "" : Array.isArray(value);
      if (isPrompt) return ambiguous(fields, name, other);
    }
    return undefined;
  }

  /** A multiple-choice question, whose choices would not be sent. */
  #choices(fields: Json, name: string): ContentProblem | undefined {
    if (this.#has(fields, "choices")) return ambiguous(fields, name, "choices");
    const hasOptions = typeof fields.options === "object" && this.#has(fields, "options");
    return hasOptions ? ambiguous(fields, name, "options") : undefined;
  }

  #messages(
    messages: Message[],
    system: string | undefined,
    used: readonly string[],
  ): Content | ContentProblem {
    const isAnswered = this.#options.dropAnswer && messages.at(-1)?.role === "assistant";
    if (isAnswered && messages.length === 1) {
      return { problem: `${used[0]}: expected a message of the user` };
    }
    return { messages: withSystem(isAnswered ? messages.slice(0, -1) : messages, system), used };
  }

  #instruction(fields: Json): Content | ContentProblem {
    // Dolly's name for what Alpaca calls the input.
    const part = this.#has(fields, "input") || !this.#has(fields, "context") ? "input" : "context";
    const input = this.#has(fields, part) ? fields[part] : undefined;
    const problem = stringProblem(fields, "instruction") ??
      (input === undefined ? undefined : stringProblem(fields, part));
    if (problem !== undefined) return { problem };
    const second = this.#secondPrompt(fields, "instruction");
    if (second !== undefined) return second;
    const choices = this.#choices(fields, "instruction");
    if (choices !== undefined) return choices;
    const content = input ? `${fields.instruction}\n\n${input}` : String(fields.instruction);
    if (content.trim() === "") {
      return { problem: "instruction: expected text, got an empty string" };
    }
    // The expected answer of a training set would be mistaken for the model's.
    const used = ["instruction", part, "output"];
    return { messages: promptMessages(this.#options.system, content), used };
  }

  #prompt(fields: Json, name: string): Content | ContentProblem {
    const isConversation = Array.isArray(fields[name]);
    const problem =
      (isConversation
        ? messagesProblem(fields[name])?.replace(/^messages/, name)
        : stringProblem(fields, name)) ??
        (fields.system === undefined || fields.system === null
          ? undefined
          : stringProblem(fields, "system"));
    if (problem !== undefined) return { problem };
    const isSecond = (other: string) => this.#has(fields, other) && fields[other] !== "";
    if (name !== "input" && isSecond("input")) return ambiguous(fields, name, "input");
    const second = this.#secondPrompt(fields, name);
    if (second !== undefined) return second;
    const choices = this.#choices(fields, name);
    if (choices !== undefined) return choices;
    // As for Alpaca, the expected answer in `output` is not metadata.
    const used = name === "input" ? [name, "system", "output"] : [name, "system"];
    const system = this.#options.system ?? (fields.system as string | null | undefined) ??
      undefined;
    if (isConversation) return this.#messages(fields[name] as Message[], system, used);
    const text = String(fields[name]);
    if (text.trim() === "") return { problem: `${name}: expected text, got an empty string` };
    if (name !== "question" || !isSecond("context")) {
      return { messages: promptMessages(system, text), used };
    }
    if (typeof fields.context !== "string") return ambiguous(fields, name, "context");
    const content = `${fields.context}\n\n${text}`;
    return { messages: promptMessages(system, content), used: [...used, "context"] };
  }

  #conversation(fields: Json, name: string): Content | ContentProblem {
    const turns = fields[name];
    if (!isTrainingConversation(turns)) {
      return {
        problem: `${name}: expected a list of turns with "from" and "value", or "role" and ` +
          `"content", got ${shown(turns)}`,
      };
    }
    const image = IMAGE_FIELDS.find((field) => this.#has(fields, field));
    if (image !== undefined) {
      return {
        problem: `${image}: only images in "messages" can be sent`,
        hint: `Convert the records to messages, or send only the text: --as-metadata ${image}`,
      };
    }
    const read = trainingMessages(turns, name);
    if ("problem" in read) return read;
    const own = this.#has(fields, "system") && fields.system !== ""
      ? String(fields.system)
      : undefined;
    const messages = withSystem(read.messages, this.#options.system ?? own);
    // In chat logs `model` is the model that answered then.
    return { messages, used: [name, "system"], hasNoOptions: true };
  }

  #other(fields: Json): Content | ContentProblem {
    const names = Object.keys(fields);
    const { text } = fields;
    if (typeof text === "string" && names.length === 1) {
      return text.trim() === ""
        ? { problem: "text: expected text, got an empty string" }
        : { messages: promptMessages(this.#options.system, text), used: ["text"] };
    }
    const hint = templateHint(fields);
    const empty = names.find((name) =>
      CONTENT_FIELDS.includes(name) && !this.#options.asMetadata.has(name)
    );
    if (empty !== undefined && !isResult(fields)) {
      return { problem: `${empty}: expected a prompt, got ${shown(fields[empty])}`, hint };
    }
    return {
      problem: 'expected a field "messages", "instruction", "q", "question", "prompt", ' +
        `"conversations" or "input", found ${listedFields(fields)}`,
      hint,
    };
  }
}
