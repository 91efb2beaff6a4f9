/**
 * Edits the text of a configuration file, preserving comments, order and formatting.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { applyEdits, modify } from "jsonc-parser";
import { isMap, isScalar, isSeq, parseDocument, Scalar, stringify } from "yaml";
import { ConfigurationError } from "../errors.ts";
import type { ModelEntry } from "./schema.ts";

const BOM = "\uFEFF";
/** Never wraps long values. */
export const YAML_STYLE = { lineWidth: 0, flowCollectionPadding: false };

/** Whether `file` is JSON, by its name; otherwise it is YAML. */
export function isJson(file: string): boolean {
  return /\.jsonc?$/i.test(file);
}

/** Sets `path` to `value`, or removes it if that is `undefined`. */
export function editJson(
  text: string,
  path: (string | number)[],
  value: unknown,
  options: { isArrayInsertion?: boolean; getInsertionIndex?: () => number },
): string {
  const whole = text.trim() === "" ? "{}\n" : text;
  const indent = /^\{\s*?\n([ \t]+)/.exec(whole)?.[1] ?? "  ";
  const edits = modify(whole, path, value, {
    ...options,
    formattingOptions: {
      insertSpaces: !indent.includes("\t"),
      tabSize: indent.length,
      eol: whole.includes("\r\n") ? "\r\n" : "\n",
    },
  });
  return applyEdits(whole, edits);
}

function scalarText(name: string, type: Scalar.Type): string {
  const scalar = new Scalar(name);
  scalar.type = type;
  return stringify(scalar, YAML_STYLE).trimEnd();
}

/** Inserts text at an offset. */
export function insertAt(text: string, offset: number, inserted: string): string {
  return text.slice(0, offset) + inserted + text.slice(offset);
}

/** Replaces or inserts just the line of `default`; `undefined` if the formatting rules that out. */
function setDefaultInPlace(text: string, name: string): string | undefined {
  const { contents } = parseDocument(text);
  if (!isMap(contents) || contents.flow || contents.items.length === 0) return undefined;
  const old = contents.get("default", true);
  if (isScalar(old) && typeof old.value === "string" && old.range && !old.anchor) {
    const style = old.type === "QUOTE_SINGLE" || old.type === "QUOTE_DOUBLE" ? old.type : "PLAIN";
    const [start, end] = old.range;
    return text.slice(0, start) + scalarText(name, style) + text.slice(end);
  }
  const [{ key }] = contents.items;
  if (contents.has("default") || !isScalar(key) || !key.range) return undefined;
  return insertAt(text, key.range[0], `default: ${scalarText(name, "PLAIN")}\n\n`);
}

/** Sets `default` by reformatting the whole document. */
function setDefaultReformatting(text: string, name: string): string {
  const document = parseDocument(text);
  document.set("default", name);
  return document.toString(YAML_STYLE);
}

/** Inserts just the lines of the new model; `undefined` if the formatting rules that out. */
function addModelInPlace(text: string, model: ModelEntry): string | undefined {
  const models = parseDocument(text).get("models", true);
  if (!isSeq(models) || models.flow || models.items.length === 0 || !models.range) return undefined;
  const last = models.items.at(-1);
  if (!isMap(last) || !last.range) return undefined;
  const [dash] = models.range;
  const indent = " ".repeat(dash - text.lastIndexOf("\n", dash - 1) - 1);
  const content = text.slice(0, last.range[1]).trimEnd();
  const lineEnd = text.indexOf("\n", content.length);
  const areApart = models.items.slice(1).some((item) => isMap(item) && item.spaceBefore);
  const lines = stringify([model], YAML_STYLE).trimEnd().split("\n");
  const inserted = lines.map((line) => `\n${indent}${line}`).join("");
  return insertAt(text, lineEnd < 0 ? text.length : lineEnd, (areApart ? "\n" : "") + inserted);
}

/** Adds the model by reformatting the whole document. */
function addModelReformatting(text: string, model: ModelEntry): string {
  const document = parseDocument(text);
  const models = document.get("models", true);
  if (isSeq(models)) {
    // An empty list is written `[]`; entries in flow style are hard to read.
    if (models.items.length === 0) models.flow = false;
    models.add(document.createNode(model));
  } else {
    document.set("models", document.createNode([model]));
  }
  return document.toString(YAML_STYLE);
}

/** Parses YAML; `undefined` if it is not well-formed. */
function parsedYaml(text: string): Record<string, unknown> | undefined {
  const document = parseDocument(text);
  return document.errors.length > 0 ? undefined : document.toJS() ?? {};
}

/**
 * Tries `edits` in order, least invasive first, and returns the first with the expected value.
 *
 * @throws {ConfigurationError} if there is none
 */
export function editYaml(
  text: string,
  change: (value: Record<string, unknown>) => Record<string, unknown>,
  ...edits: ((text: string) => string | undefined)[]
): string {
  const plain = text.replaceAll("\r\n", "\n");
  const expected = change(parsedYaml(plain) ?? {});
  for (const edit of edits) {
    const edited = edit(plain);
    if (edited === undefined || !isDeepStrictEqual(parsedYaml(edited), expected)) continue;
    return text.includes("\r\n") ? edited.replaceAll("\n", "\r\n") : edited;
  }
  throw new ConfigurationError(
    "cannot edit the configuration file automatically: its YAML is too unusual",
    {
      hint: "Anchors (&name) may be the reason. Edit it by hand: flexllm config edit",
    },
  );
}

/** Applies `edit` to the text after a byte order mark. */
export function withoutBom(text: string, edit: (text: string) => string): string {
  return text.startsWith(BOM) ? BOM + edit(text.slice(1)) : edit(text);
}

/**
 * Sets `name` as the default model in `text`, the content of `file`, which must be well-formed.
 *
 * @throws {ConfigurationError} if the file cannot be edited automatically
 */
export function setDefault(file: string, text: string, name: string): string {
  return withoutBom(
    text,
    (text) =>
      isJson(file) ? editJson(text, ["default"], name, { getInsertionIndex: () => 0 }) : editYaml(
        text,
        (value) => ({ ...value, default: name }),
        (text) => setDefaultInPlace(text, name),
        (text) => setDefaultReformatting(text, name),
      ),
  );
}

/**
 * Appends a model to `models` in `text`, the content of `file`, which must be well-formed.
 *
 * @throws {ConfigurationError} if the file cannot be edited automatically
 */
export function addModel(file: string, text: string, model: ModelEntry): string {
  return withoutBom(text, (text) => {
    if (!isJson(file)) {
      return editYaml(
        text,
        (value) => ({ ...value, models: [...value.models as unknown[] ?? [], model] }),
        (text) => addModelInPlace(text, model),
        (text) => addModelReformatting(text, model),
      );
    }
    const hasModels = /"models"\s*:\s*\[/.test(text);
    return hasModels
      ? editJson(text, ["models", -1], model, { isArrayInsertion: true })
      : editJson(text, ["models"], [model], {});
  });
}
