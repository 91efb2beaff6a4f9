/**
 * The forms of an input record, and how each becomes a conversation. All but OpenAI's are the Python
 * tool's:
 *
 * - `messages`: a conversation in OpenAI's form;
 * - `body`: a line of an OpenAI Batch file;
 * - `instruction`, optionally `input`: Alpaca;
 * - `q`, `question` or `prompt`, optionally `system`: a simple question, or a conversation as in TRL's
 *   conversational data sets;
 * - anything at all, when there is a template.
 *
 * Fields that are options hold for the record alone; all others become metadata.
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

const QUESTION_FIELDS = ["q", "question", "prompt"];
/** Fields one of which a record without a template must have. */
export const CONTENT_FIELDS: readonly string[] = ["messages", "instruction", ...QUESTION_FIELDS];

/** A record, or what is wrong with the value it was to be made of. */
export type Converted = { record: BatchRecord } | { problem: string };

/** How input values become records. */
export interface Conversion {
  /**
   * The system prompt for all records: it takes the place of a question's own, and is added to
   * conversations that have none. A template when there is one for the question.
   */
  system?: string | Template;
  /** Makes the user's message of the fields, whatever they are called. */
  template?: Template;
  /** Fields that are metadata although they are called like options. */
  asMetadata?: readonly string[];
  /** Whether the values are rows of a table, in which everything is text. */
  isTable?: boolean;
}

/** The fields of a record that are not its content. */
type Rest = Pick<BatchRecord, "metadata" | "options"> | { problem: string };

const NO_OPTIONS: OptionFields = new Map();

/** Whether `fields` are a line of a result file: its model and thinking are those of the answer. */
function isResult(fields: Json): boolean {
  return (fields.status === "success" || fields.status === "error") && "index" in fields &&
    "output" in fields && "input" in fields;
}

/** Sets a field whatever it is called, even `__proto__`. */
function put(target: Json, name: string, value: unknown): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true });
}

function expectString(fields: Json, name: string): string | undefined {
  const value = fields[name];
  if (typeof value === "string") return undefined;
  return `${name}: expected a string, got ${JSON.stringify(value)}`;
}

function ask(system: unknown, content: string): Message[] {
  const question: Message = { role: "user", content };
  return system ? [{ role: "system", content: String(system) }, question] : [question];
}

/** Adds the system prompt for all to a conversation that has none. */
function withSystem(messages: Message[], system: string | undefined): Message[] {
  const hasSystem = messages.some(({ role }) => role === "system" || role === "developer");
  return system === undefined || hasSystem
    ? messages
    : [{ role: "system", content: system }, ...messages];
}

/** Converts input values, all in one way. */
export class RecordConverter {
  readonly #system: string | undefined;
  readonly #systemTemplate: Template | undefined;
  readonly #template: Template | undefined;
  readonly #optionFields: OptionFields;
  readonly #isTable: boolean;

  /** Makes a converter. */
  constructor({ system, template, asMetadata = [], isTable = false }: Conversion) {
    if (typeof system === "object") this.#systemTemplate = system;
    else this.#system = system;
    this.#template = template;
    this.#isTable = isTable;
    // What a template puts into the question is data, whatever it is called.
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
    const name = QUESTION_FIELDS.find((field) => field in fields);
    if (name !== undefined) return this.#fromQuestion(fields, name);
    const found = Object.keys(fields).map((field) => `"${field}"`).join(", ") || "no field at all";
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
    if (text.trim() === "") return { problem: "the template gives an empty question" };
    const systemText = (system as { text: string } | undefined)?.text ?? this.#system;
    return this.#record(ask(systemText, text), fields, []);
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
    if (content.trim() === "") return { problem: "instruction: it is empty" };
    // The expected answer of a training set is not sent, and would be mistaken for ours.
    return this.#record(ask(this.#system, content), fields, ["instruction", "input", "output"]);
  }

  #fromQuestion(fields: Json, name: string): Converted {
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
    const question = String(fields[name]);
    if (question.trim() === "") return { problem: `${name}: the question is empty` };
    const messages = ask(this.#system ?? fields.system, question);
    return this.#record(messages, fields, [name, "system"]);
  }

  #record(messages: Message[], fields: Json, used: readonly string[]): Converted {
    const rest = this.#rest(fields, used);
    if ("problem" in rest) return rest;
    return { record: { messages, metadata: rest.metadata, options: rest.options } };
  }

  /** Divides the fields that are not in `used` into options and metadata. */
  #rest(fields: Json, used: readonly string[]): Rest {
    let metadata: Json | undefined;
    let options: RecordOptions | undefined;
    const optionFields = isResult(fields) ? NO_OPTIONS : this.#optionFields;
    for (const name of Object.keys(fields)) {
      if (used.includes(name)) continue;
      const field = optionFields.get(name);
      if (field === undefined) {
        put(metadata ??= {}, name, fields[name]);
      } else {
        const problem = readOption(options ??= {}, name, field, fields[name], this.#isTable);
        if (problem !== undefined) return { problem };
      }
    }
    // Of a table most are empty cells, which give no option.
    const isEmpty = options !== undefined && Object.keys(options).length === 0;
    return { metadata, options: isEmpty ? undefined : options };
  }
}
