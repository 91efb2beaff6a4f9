/**
 * Suggests a template for records whose fields are not those of a known format.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";

/** Fields that seldom are what a prompt is about. */
const LABELS =
  /^(id|_id|uuid|key|index|label|lang|language|source|category|split|url|date|time)$|_id$/i;

/** Columns that often contain what a prompt is about. */
const TEXTS = /^(text|content|body|message|review|comment|sentence|description|title|query)$/i;

/** The hint to set the prompt with a template that uses a column of a table. */
export function columnHint(columns: readonly string[]): string {
  const column = columns.find((name) => TEXTS.test(name)) ??
    columns.findLast((name) => !LABELS.test(name)) ?? columns.at(-1);
  return `Set the prompt: --template "… {{${column}}} …"`;
}

/** The texts in a record by their paths, also those one level down. */
function* textsOf(fields: Json, prefix = "", depth = 0): Generator<[path: string, text: string]> {
  for (const [name, value] of Object.entries(fields)) {
    const path = `${prefix}${name}`;
    if (typeof value === "string") yield [path, value];
    else if (depth < 1 && Array.isArray(value)) {
      if (typeof value[0] === "string") yield [`${path}.0`, value[0]];
    } else if (depth < 1 && asObject(value) !== undefined) {
      yield* textsOf(value as Json, `${path}.`, depth + 1);
    }
  }
}

/** The field that the prompt is most likely about: the one with the longest text. */
function mainField(fields: Json): string | undefined {
  const texts = [...textsOf(fields)].filter(([path, text]) =>
    !LABELS.test(path) && text.trim() !== "" && !/[{}]/.test(path)
  );
  const top = texts.filter(([path]) => !path.includes("."));
  const [longest] = (top.length > 0 ? top : texts).sort(([, a], [, b]) => b.length - a.length);
  return longest?.[0] ?? Object.keys(fields)[0];
}

/** The hint to set the prompt with a template that uses the record's fields. */
export function templateHint(fields: Json): string | undefined {
  const field = mainField(fields);
  return field === undefined ? undefined : `Set the prompt: --template "… {{${field}}} …"`;
}

/** The fields of a record, for a message. */
export function listedFields(fields: Json): string {
  const names = Object.keys(fields);
  const listed = names.slice(0, 12).map((name) => JSON.stringify(name)).join(", ");
  if (names.length === 0) return "no fields";
  return names.length > 12 ? `${listed} and ${names.length - 12} more` : listed;
}
