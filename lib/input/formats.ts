/**
 * Converts input values to records: objects with a conversation, lines of OpenAI Batch files, strings, and
 * any object if there is a template.
 *
 * Fields named like an option apply to that record only; all others become metadata.
 *
 * @module
 */
import type { BatchRecord } from "../chat/record.ts";
import type { Message } from "../chat/messages.ts";
import type { RecordOptions } from "../chat/record_options.ts";
import { asObject, type Json } from "../json/json.ts";
import { fromBatchLine, isBatchLine } from "./openai_batch.ts";
import {
  OPTION_FIELDS,
  type OptionFields,
  optionFieldsWithout,
  readOption,
} from "./option_fields.ts";
import {
  type ContentProblem,
  ContentReader,
  isResult,
  promptMessages,
  withSystem,
} from "./record_content.ts";
import { type Template, unknownField } from "./template.ts";

/** A record, or why a value is not one. */
export type Converted = { record: BatchRecord } | ContentProblem;

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

/** Sets a field of any name, even `__proto__`. */
function setField(target: Json, name: string, value: unknown): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true });
}

/** Converts input values to records. */
export class RecordConverter {
  readonly #system: string | undefined;
  readonly #systemTemplate: Template | undefined;
  readonly #template: Template | undefined;
  readonly #content: ContentReader;
  readonly #optionFields: OptionFields;
  readonly #isTable: boolean;

  /** Prepares the conversion. */
  constructor(
    { system, template, asMetadata = [], isTable = false, dropAnswer = false }: Conversion,
  ) {
    if (typeof system === "object") this.#systemTemplate = system;
    else this.#system = system;
    this.#template = template;
    this.#isTable = isTable;
    this.#content = new ContentReader({
      system: this.#system,
      asMetadata: new Set(asMetadata),
      dropAnswer,
    });
    // A field used by a template is data, even if it is named like an option.
    const data = [...asMetadata, ...template?.fields ?? [], ...this.#systemTemplate?.fields ?? []];
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
    if (isBatchLine(fields) && !("messages" in fields)) return this.#fromBatchLine(fields);
    const content = this.#content.read(fields);
    if ("problem" in content) return content;
    return this.#record(content.messages, fields, content.used, content.hasNoOptions);
  }

  #fromText(text: string): Converted {
    if (this.#template !== undefined) return this.#fromTemplate(this.#template, { text });
    if (text.trim() === "") return { problem: "expected text, got an empty string" };
    return { record: { messages: promptMessages(this.#system, text) } };
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
    return this.#record(promptMessages(systemText, text), fields, []);
  }

  #fromBatchLine(fields: Json): Converted {
    const read = fromBatchLine(fields, this.#optionFields);
    if ("problem" in read) return read;
    const { messages, options, metadata } = read;
    return { record: { messages: withSystem(messages, this.#system), metadata, options } };
  }

  #record(
    messages: Message[],
    fields: Json,
    used: readonly string[],
    hasNoOptions = isResult(fields),
  ): Converted {
    const others = this.#otherFields(fields, used, hasNoOptions ? NO_OPTIONS : this.#optionFields);
    if ("problem" in others) return others;
    return { record: { messages, metadata: others.metadata, options: others.options } };
  }

  /** Splits the fields that are not in `used` into options and metadata. */
  #otherFields(fields: Json, used: readonly string[], optionFields: OptionFields): OtherFields {
    let metadata: Json | undefined;
    let options: RecordOptions | undefined;
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
