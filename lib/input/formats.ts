/**
 * Converts input values to records. The first format whose fields a value has is the one that it is read
 * as; if the fields of two could both be the prompt, that is an error:
 *
 * - `messages`: a conversation in OpenAI's format;
 * - `body`: a line of an OpenAI Batch file;
 * - `instruction`, optionally `input` (Alpaca) or `context` (Dolly);
 * - `q`, `question` or `prompt`, optionally `system`: a prompt, or a conversation as in TRL's
 *   conversational data sets; with `question`, optionally `context` (SQuAD);
 * - `conversations` or `conversation`: ShareGPT, or a chat log;
 * - `input`: a prompt or a conversation, as in Inspect and OpenAI's evals;
 * - `text` without any other field, or a string in place of an object: a prompt;
 * - any object, if there is a template.
 *
 * Fields named like an option apply to that record only; all others become metadata.
 *
 * @module
 */
import type { BatchRecord } from "../chat/record.ts";
import { type Message, messagesProblem } from "../chat/messages.ts";
import type { RecordOptions } from "../chat/record_options.ts";
import { asObject, type Json } from "../json/json.ts";
import { fromBatchLine, isBatchLine } from "./openai_batch.ts";
import {
  OPTION_FIELDS,
  type OptionFields,
  optionFieldsWithout,
  readOption,
  shown,
} from "./option_fields.ts";
import { listedFields, templateHint } from "./suggest_template.ts";
import { type Template, unknownField } from "./template.ts";
import { isTrainingConversation, trainingMessages } from "./training_conversation.ts";

const PROMPT_FIELDS = ["q", "question", "prompt"];
const CONVERSATION_FIELDS = ["conversations", "conversation"];
/** A record needs one of these fields, unless there is a template. */
export const CONTENT_FIELDS: readonly string[] = [
  "messages",
  "instruction",
  ...PROMPT_FIELDS,
  ...CONVERSATION_FIELDS,
  "input",
];
/** Fields that are part of a prompt besides {@link CONTENT_FIELDS}. */
const PROMPT_PARTS = ["context", "choices", "options", "image", "images"];
/** Fields that affect the prompt, unless they are declared to be metadata. */
export const PROMPT_DATA_FIELDS: readonly string[] = [...CONTENT_FIELDS, ...PROMPT_PARTS];

/** A record, or why a value is not one and what to do about it. */
export type Converted = { record: BatchRecord } | { problem: string; hint?: string };

/** How input values become records. */
export interface Conversion {
  /**
   * The system prompt for all records. It replaces the `system` field of a prompt, and is added to
   * conversations without one. If there is a `template`, this may be one as well.
   */
  system?: string | Template;
  /** Builds the user message from the record's fields. */
  template?: Template;
  /** Fields that are metadata although they are named like options or prompts. */
  asMetadata?: readonly string[];
  /** Whether to leave out an answer at the end of `messages`, as training data has. @default false */
  dropAnswer?: boolean;
  /** Whether the values are rows of a table, whose fields are all strings. @default false */
  isTable?: boolean;
}

/** The fields of a record except its messages. */
type OtherFields = Pick<BatchRecord, "metadata" | "options"> | { problem: string };

const NO_OPTIONS: OptionFields = new Map();

/** Whether `fields` are a line of a result file, whose `model` and `thinking` belong to the answer. */
function isResult(fields: Json): boolean {
  return (fields.status === "success" || fields.status === "error") && "index" in fields &&
    "output" in fields && "input" in fields;
}

/** Sets a field of any name, even `__proto__`. */
function setField(target: Json, name: string, value: unknown): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true });
}

function expectString(fields: Json, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === "string") return undefined;
  return `${name}: expected a string, got ${JSON.stringify(value)}`;
}

function conversation(system: unknown, content: string): Message[] {
  const prompt: Message = { role: "user", content };
  return system ? [{ role: "system", content: String(system) }, prompt] : [prompt];
}

/** Adds the system prompt to a conversation that has none. */
function withSystem(messages: Message[], system: string | undefined): Message[] {
  const hasSystem = messages.some(({ role }) => role === "system" || role === "developer");
  return system === undefined || hasSystem
    ? messages
    : [{ role: "system", content: system }, ...messages];
}

/** All fields except those that were used. */
function metadataOf(fields: Json, used: readonly string[]): Json | undefined {
  let metadata: Json | undefined;
  for (const name of Object.keys(fields)) {
    if (!used.includes(name)) setField(metadata ??= {}, name, fields[name]);
  }
  return metadata;
}

/** Two fields could be, or belong to, the prompt. */
function ambiguous(fields: Json, [first, second]: [string, string]): Converted {
  return {
    problem: `"${first}" and "${second}" could both be part of the prompt; the fields are ${
      listedFields(fields)
    }`,
    hint: `Set the prompt: --template "{{${first}}} {{${second}}}", or leave a field out of it: ` +
      `--as-metadata ${second}`,
  };
}

/** Converts input values to records. */
export class RecordConverter {
  readonly #system: string | undefined;
  readonly #systemTemplate: Template | undefined;
  readonly #template: Template | undefined;
  readonly #optionFields: OptionFields;
  readonly #isTable: boolean;
  readonly #dropAnswer: boolean;
  readonly #data: ReadonlySet<string>;

  /** Prepares the conversion. */
  constructor(
    { system, template, asMetadata = [], isTable = false, dropAnswer = false }: Conversion,
  ) {
    if (typeof system === "object") this.#systemTemplate = system;
    else this.#system = system;
    this.#template = template;
    this.#isTable = isTable;
    this.#dropAnswer = dropAnswer;
    // A field used by a template is data, even if it is named like an option.
    const data = [...asMetadata, ...template?.fields ?? [], ...this.#systemTemplate?.fields ?? []];
    this.#data = new Set(asMetadata);
    this.#optionFields = data.length === 0 ? OPTION_FIELDS : optionFieldsWithout(data);
  }

  /** Converts one input value. */
  convert(value: unknown): Converted {
    if (typeof value === "string") return this.#fromText(value);
    const fields = asObject(value);
    if (fields === undefined) {
      return { problem: `expected a JSON object, got ${JSON.stringify(value).slice(0, 60)}` };
    }
    if (this.#template !== undefined) return this.#fromTemplate(this.#template, fields);
    if (this.#has(fields, "messages")) return this.#fromMessages(fields);
    if (isBatchLine(fields)) return this.#fromBatchLine(fields);
    if (this.#has(fields, "instruction")) return this.#fromInstruction(fields);
    // A prompt of null is reported as such if there is no other.
    const prompt = PROMPT_FIELDS.find((name) => this.#has(fields, name));
    const conversation = CONVERSATION_FIELDS.find((name) => this.#has(fields, name));
    const name = prompt ?? (this.#hasInput(fields) ? "input" : undefined);
    if (conversation !== undefined) {
      return name === undefined
        ? this.#fromConversation(fields, conversation)
        : ambiguous(fields, [conversation, name]);
    }
    if (name !== undefined) return this.#fromPrompt(fields, name);
    const { text } = fields;
    if (typeof text === "string" && Object.keys(fields).length === 1) return this.#fromText(text);
    const empty = CONTENT_FIELDS.find((field) => field in fields && !this.#data.has(field));
    if (empty !== undefined && !isResult(fields)) {
      return {
        problem: `${empty}: expected a prompt, got ${shown(fields[empty])}`,
        hint: templateHint(fields),
      };
    }
    return {
      problem: 'expected a field "messages", "instruction", "q", "question", "prompt", ' +
        `"conversations" or "input", found ${listedFields(fields)}`,
      hint: templateHint(fields),
    };
  }

  /** Whether a field has a value, and is not declared to be metadata. */
  #has(fields: Json, name: string): boolean {
    const value = fields[name];
    return value !== undefined && value !== null && !this.#data.has(name);
  }

  /** Whether the field `input` is a prompt: not that of a result, and not variables. */
  #hasInput(fields: Json): boolean {
    const isPrompt = typeof fields.input === "string" || Array.isArray(fields.input);
    return isPrompt && !isResult(fields) && this.#has(fields, "input");
  }

  #fromText(text: string): Converted {
    if (this.#template !== undefined) return this.#fromTemplate(this.#template, { text });
    if (text.trim() === "") return { problem: "expected text, got an empty string" };
    return { record: { messages: conversation(this.#system, text) } };
  }

  #fromTemplate(template: Template, fields: Json): Converted {
    const content = template.render(fields);
    const system = this.#systemTemplate?.render(fields);
    for (const rendered of [content, system]) {
      if (rendered !== undefined && "missing" in rendered) {
        return {
          problem: unknownField(rendered.missing, "the record's fields are", Object.keys(fields)),
        };
      }
    }
    const { text } = content as { text: string };
    if (text.trim() === "") return { problem: "the template produces an empty prompt" };
    const systemText = (system as { text: string } | undefined)?.text ?? this.#system;
    return this.#record(conversation(systemText, text), fields, []);
  }

  #fromMessages(fields: Json): Converted {
    const problem = messagesProblem(fields.messages);
    if (problem !== undefined) return { problem };
    return this.#conversation(fields.messages as Message[], this.#system, fields, ["messages"]);
  }

  #fromBatchLine(fields: Json): Converted {
    const read = fromBatchLine(fields, this.#optionFields);
    if ("problem" in read) return read;
    const { messages, options, metadata } = read;
    return { record: { messages: withSystem(messages, this.#system), metadata, options } };
  }

  #fromInstruction(fields: Json): Converted {
    // Dolly's name for what Alpaca calls the input.
    const part = this.#has(fields, "input") || !this.#has(fields, "context") ? "input" : "context";
    const input = this.#has(fields, part) ? fields[part] : undefined;
    const problem = expectString(fields, "instruction") ??
      (input === undefined ? undefined : expectString(fields, part));
    if (problem !== undefined) return { problem };
    const choices = this.#choices(fields, "instruction");
    if (choices !== undefined) return choices;
    const content = input ? `${fields.instruction}\n\n${input}` : String(fields.instruction);
    if (content.trim() === "") {
      return { problem: "instruction: expected text, got an empty string" };
    }
    // Not metadata: the expected answer of a training set would be mistaken for the model's.
    return this.#record(conversation(this.#system, content), fields, [
      "instruction",
      part,
      "output",
    ]);
  }

  #fromPrompt(fields: Json, name: string): Converted {
    const isConversation = Array.isArray(fields[name]);
    const problem =
      (isConversation
        ? messagesProblem(fields[name])?.replace(/^messages/, name)
        : expectString(fields, name)) ??
        (fields.system === undefined || fields.system === null
          ? undefined
          : expectString(fields, "system"));
    if (problem !== undefined) return { problem };
    const isSecond = (other: string) =>
      other !== name && this.#has(fields, other) && fields[other] !== "";
    if (name !== "input" && isSecond("input")) return ambiguous(fields, [name, "input"]);
    const choices = this.#choices(fields, name);
    if (choices !== undefined) return choices;
    // As for Alpaca, the expected answer in `output` is not metadata.
    const used = [name, "system", ...name === "input" ? ["output"] : []];
    const system = this.#system ?? (fields.system as string | null | undefined) ?? undefined;
    if (isConversation) return this.#conversation(fields[name] as Message[], system, fields, used);
    const prompt = String(fields[name]);
    if (prompt.trim() === "") return { problem: `${name}: expected text, got an empty string` };
    const hasContext = name === "question" && isSecond("context");
    if (hasContext && typeof fields.context !== "string") {
      return ambiguous(fields, [name, "context"]);
    }
    const content = hasContext ? `${fields.context}\n\n${prompt}` : prompt;
    if (hasContext) used.push("context");
    return this.#record(conversation(system, content), fields, used);
  }

  #fromConversation(fields: Json, name: string): Converted {
    if (!isTrainingConversation(fields[name])) {
      return {
        problem: `${name}: expected a list of turns with "from" and "value", or "role" and ` +
          `"content", got ${shown(fields[name])}`,
      };
    }
    const image = ["image", "images"].find((field) => this.#has(fields, field));
    if (image !== undefined) {
      return {
        problem: `${image}: only images in "messages" can be sent`,
        hint: `Convert the records to messages, or send only the text: --as-metadata ${image}`,
      };
    }
    const read = trainingMessages(fields[name], name);
    if ("problem" in read) return read;
    const system = this.#system ?? (this.#has(fields, "system") ? fields.system : undefined);
    const messages = withSystem(read.messages, system ? String(system) : undefined);
    // In chat logs `model` is the model that answered then, so no field is an option.
    return { record: { messages, metadata: metadataOf(fields, [name, "system"]) } };
  }

  /** A multiple-choice question, whose choices would not be sent. */
  #choices(fields: Json, name: string): Converted | undefined {
    const hasOptions = typeof fields.options === "object" && this.#has(fields, "options");
    const choices = this.#has(fields, "choices") ? "choices" : hasOptions ? "options" : undefined;
    return choices === undefined ? undefined : ambiguous(fields, [name, choices]);
  }

  /** The record of a conversation in OpenAI's format. */
  #conversation(
    messages: Message[],
    system: string | undefined,
    fields: Json,
    used: readonly string[],
  ): Converted {
    const isAnswered = this.#dropAnswer && messages.at(-1)?.role === "assistant";
    if (isAnswered && messages.length === 1) {
      return { problem: `${used[0]}: expected a message of the user` };
    }
    const sent = isAnswered ? messages.slice(0, -1) : messages;
    return this.#record(withSystem(sent, system), fields, used);
  }

  #record(messages: Message[], fields: Json, used: readonly string[]): Converted {
    const others = this.#otherFields(fields, used);
    if ("problem" in others) return others;
    return { record: { messages, metadata: others.metadata, options: others.options } };
  }

  /** Splits the fields that are not in `used` into options and metadata. */
  #otherFields(fields: Json, used: readonly string[]): OtherFields {
    let metadata: Json | undefined;
    let options: RecordOptions | undefined;
    const optionFields = isResult(fields) ? NO_OPTIONS : this.#optionFields;
    for (const name of Object.keys(fields)) {
      if (used.includes(name)) continue;
      const field = optionFields.get(name);
      if (field === undefined) {
        setField(metadata ??= {}, name, fields[name]);
      } else {
        const problem = readOption(options ??= {}, name, field, fields[name], this.#isTable);
        if (problem !== undefined) return { problem };
      }
    }
    // The empty cells of a table set no option.
    const isEmpty = options !== undefined && Object.keys(options).length === 0;
    return { metadata, options: isEmpty ? undefined : options };
  }
}
