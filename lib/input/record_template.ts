/**
 * Applies a saved template to the records of a batch.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import { asObject, type Json } from "../json/json.ts";
import type { Converted } from "./formats.ts";
import { fillPlaceholders, INPUT, type Lookup, placeholdersOf } from "./prompt_template.ts";
import { unknownField, valueAt } from "./template.ts";

/** The fields that a record's own prompt can be in. A template that uses one does not get it twice. */
const PROMPT_PARTS = ["q", "question", "prompt", "instruction"];

/** The parts of a saved template that apply to each record. */
export interface RecordTemplateParts {
  prompt?: string;
  system?: string;
  /** The values of `--var`, which apply to all records. */
  values: ReadonlyMap<string, string>;
}

/** The text of a message; `undefined` if it has none. */
function textOf(content: Message["content"] | undefined): string | undefined {
  if (typeof content === "string" || content === undefined || content === null) {
    return content ?? undefined;
  }
  const texts = content.flatMap((part) => part.type === "text" ? [part.text] : []);
  return texts.length === 0 ? undefined : texts.join("\n\n");
}

/** The message with another text; its images and files stay. */
function withText(message: Message, text: string): Message {
  const { content } = message;
  const others = Array.isArray(content) ? content.filter(({ type }) => type !== "text") : [];
  return {
    ...message,
    content: others.length === 0 ? text : [...others, { type: "text", text }],
  } as Message;
}

/** Inserts the fields of a record into a saved prompt and system prompt. */
export class RecordTemplate {
  readonly #prompt: string | undefined;
  readonly #system: string | undefined;
  readonly #values: ReadonlyMap<string, string>;
  readonly #defaults: ReadonlyMap<string, string | undefined>;
  readonly #promptNames: readonly string[];
  /** The fields of records that it uses. They are data, even if they are named like options. */
  readonly fields: readonly string[];

  constructor({ prompt, system, values }: RecordTemplateParts) {
    this.#prompt = prompt;
    this.#system = system;
    this.#values = values;
    this.#defaults = placeholdersOf(prompt, system);
    this.#promptNames = [...placeholdersOf(prompt).keys()];
    this.fields = [...this.#defaults.keys()].filter((name) => !values.has(name) && name !== INPUT);
  }

  /** Whether every field that it needs is among `names`, and at least one is used. */
  fits(names: readonly string[]): boolean {
    return this.fields.some((name) => names.includes(name)) &&
      this.missingFrom(names) === undefined && !this.#defaults.has(INPUT);
  }

  /** The first field without a default that is not among `names`. */
  missingFrom(names: readonly string[]): string | undefined {
    return this.fields.find((name) =>
      !names.includes(name) && this.#defaults.get(name) === undefined
    );
  }

  /** Converts one input value with `convert`, and applies the template to the result. */
  apply(value: unknown, convert: (value: unknown) => Converted): Converted {
    const fields = asObject(value) ?? {};
    const whole = convert(value);
    const converted = "problem" in whole ? this.#withoutPrompt(fields, convert) ?? whole : whole;
    if ("problem" in converted) return converted;
    const { record } = converted;
    const at = record.messages.findLastIndex(({ role }) => role === "user");
    const own = converted === whole ? textOf(record.messages[at]?.content) : undefined;
    const missing = new Set<string>();
    const valueOf: Lookup = (name) => {
      const text = this.#values.get(name) ?? (name === INPUT ? own : undefined) ??
        this.#fieldOrDefault(fields, name);
      if (text === undefined) missing.add(name);
      return text;
    };
    const messages = [...record.messages];
    if (this.#prompt !== undefined && at >= 0) {
      const filled = fillPlaceholders(this.#prompt, valueOf);
      const isAppended = own !== undefined && !this.#uses(own, fields);
      const text = isAppended ? `${filled}\n\n${own}` : filled;
      if (text.trim() === "" && missing.size === 0) {
        return { problem: "the template produces an empty prompt" };
      }
      messages[at] = withText(messages[at], text);
    }
    const hasSystem = messages.some(({ role }) => role === "system" || role === "developer");
    if (this.#system !== undefined && !hasSystem) {
      messages.unshift({ role: "system", content: fillPlaceholders(this.#system, valueOf) });
    }
    if (missing.size > 0) return { problem: missingProblem([...missing], fields) };
    return { record: { ...record, messages } };
  }

  /** Converts a record without a prompt of its own, if the template makes a prompt of its fields. */
  #withoutPrompt(fields: Json, convert: (value: unknown) => Converted): Converted | undefined {
    const needsOwn = this.#defaults.has(INPUT) && textAt(fields, INPUT) === undefined;
    const isSame = !needsOwn && this.fields.length === 0 && !this.#defaults.has(INPUT);
    if (this.#prompt === undefined || needsOwn || isSame || "prompt" in fields) return undefined;
    return convert({ ...fields, prompt: "…" });
  }

  /** Whether the prompt of the template contains that of the record. */
  #uses(own: string, fields: Json): boolean {
    return this.#promptNames.some((name) => {
      if (name === INPUT) return true;
      const field = textAt(fields, name);
      return field === own || (field !== undefined && PROMPT_PARTS.includes(name));
    });
  }

  /** The field, or the default if there is no such field or it is empty, as a cell of a table can be. */
  #fieldOrDefault(fields: Json, name: string): string | undefined {
    const text = textAt(fields, name);
    return text || (this.#defaults.get(name) ?? text);
  }
}

/** A field as text. */
function textAt(fields: Json, name: string): string | undefined {
  const value = valueAt(fields, name);
  if (value === undefined || typeof value === "string") return value;
  return JSON.stringify(value);
}

function missingProblem([first, ...others]: readonly string[], fields: Json): string {
  if (first === INPUT) return "the template uses {{input}}, but the record has no prompt of text";
  const problem = unknownField(first, "the record's fields are", Object.keys(fields));
  const names = [first, ...others.filter((name) => name !== INPUT)];
  const flags = names.map((name) => `--var ${name}=…`).join(" ");
  return `${problem}; for the same value in every record, add ${flags}`;
}
