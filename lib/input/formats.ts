/**
 * Converts input values to records. The formats, all of which except `body` come from the Python tool:
 *
 * - `messages`: a conversation in OpenAI's format;
 * - `body`: a line of an OpenAI Batch file;
 * - `instruction`, optionally `input`: Alpaca;
 * - `q`, `question` or `prompt`, optionally `system`: a prompt, or a conversation as in TRL's
 *   conversational data sets;
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
} from "./option_fields.ts";
import { type Template, unknownField } from "./template.ts";

const PROMPT_FIELDS = ["q", "question", "prompt"];
/** A record needs one of these fields, unless there is a template. */
export const CONTENT_FIELDS: readonly string[] = ["messages", "instruction", ...PROMPT_FIELDS];

/** A record, or why a value is not one. */
export type Converted = { record: BatchRecord } | { problem: string };

/** How input values become records. */
export interface Conversion {
  /**
   * The system prompt for all records. It replaces the `system` field of a prompt, and is added to
   * conversations without one. If there is a `template`, this may be one as well.
   */
  system?: string | Template;
  /** Builds the user message from the record's fields. */
  template?: Template;
  /** Fields that are metadata although they are named like options. */
  asMetadata?: readonly string[];
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

/** Converts input values to records. */
export class RecordConverter {
  readonly #system: string | undefined;
  readonly #systemTemplate: Template | undefined;
  readonly #template: Template | undefined;
  readonly #optionFields: OptionFields;
  readonly #isTable: boolean;

  /** Prepares the conversion. */
  constructor({ system, template, asMetadata = [], isTable = false }: Conversion) {
    if (typeof system === "object") this.#systemTemplate = system;
    else this.#system = system;
    this.#template = template;
    this.#isTable = isTable;
    // A field used by a template is data, even if it is named like an option.
    const data = [...asMetadata, ...template?.fields ?? [], ...this.#systemTemplate?.fields ?? []];
    this.#optionFields = data.length === 0 ? OPTION_FIELDS : optionFieldsWithout(data);
  }

  /** Converts one input value. */
  convert(value: unknown): Converted {
    const fields = asObject(value);
    if (fields === undefined) {
      return { problem: `expected a JSON object, got ${JSON.stringify(value).slice(0, 60)}` };
    }
    if (this.#template !== undefined) return this.#fromTemplate(this.#template, fields);
    if ("messages" in fields) return this.#fromMessages(fields);
    if (isBatchLine(fields)) return this.#fromBatchLine(fields);
    if ("instruction" in fields) return this.#fromAlpaca(fields);
    const name = PROMPT_FIELDS.find((field) => field in fields);
    if (name !== undefined) return this.#fromPrompt(fields, name);
    const found = Object.keys(fields).map((field) => `"${field}"`).join(", ") || "no fields";
    return {
      problem:
        `expected a field "messages", "instruction", "q", "question" or "prompt", found ${found}`,
    };
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
    const messages = withSystem(fields.messages as Message[], this.#system);
    return this.#record(messages, fields, ["messages"]);
  }

  #fromBatchLine(fields: Json): Converted {
    const read = fromBatchLine(fields, this.#optionFields);
    if ("problem" in read) return read;
    const { messages, options, metadata } = read;
    return { record: { messages: withSystem(messages, this.#system), metadata, options } };
  }

  #fromAlpaca(fields: Json): Converted {
    const { instruction, input } = fields;
    const problem = expectString(fields, "instruction") ??
      (input === undefined || input === null ? undefined : expectString(fields, "input"));
    if (problem !== undefined) return { problem };
    const content = input ? `${instruction}\n\n${input}` : String(instruction);
    if (content.trim() === "") {
      return { problem: "instruction: expected text, got an empty string" };
    }
    // Not metadata: the expected answer of a training set would be mistaken for the model's.
    return this.#record(conversation(this.#system, content), fields, [
      "instruction",
      "input",
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
    if (isConversation) {
      const system = this.#system ?? (fields.system as string | null | undefined) ?? undefined;
      const messages = withSystem(fields[name] as Message[], system);
      return this.#record(messages, fields, [name, "system"]);
    }
    const prompt = String(fields[name]);
    if (prompt.trim() === "") return { problem: `${name}: expected text, got an empty string` };
    const messages = conversation(this.#system ?? fields.system, prompt);
    return this.#record(messages, fields, [name, "system"]);
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
