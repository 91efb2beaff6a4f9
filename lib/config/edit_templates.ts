/**
 * Edits the templates in the text of a configuration file, preserving everything else.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import {
  isMap,
  isScalar,
  type Pair,
  parseDocument,
  type Scalar,
  stringify,
  type YAMLMap,
} from "yaml";
import { editJson, editYaml, insertAt, isJson, withoutBom, YAML_STYLE } from "./edit.ts";
import type { TemplateFields } from "./schema.ts";

/** A template as it is written in the file. */
export type TemplateEntry = string | TemplateFields;

function indented(text: string, indent: string): string {
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => line === "" ? "" : indent + line).join("\n");
}

/** The lines of an entry, indented by `indent`. */
function entryLines(name: string, { entry, yaml }: NewTemplate, indent: string): string {
  if (yaml === undefined) return indented(stringify({ [name]: entry }, YAML_STYLE), indent);
  const key = stringify({ [name]: null }, YAML_STYLE).replace(/ null\n$/, "");
  return `${indent}${key}\n${indented(yaml, `${indent}  `)}`;
}

/** A template to write. */
export interface NewTemplate {
  entry: TemplateEntry;
  /** The YAML of `entry` with its comments, if a person wrote it. */
  yaml?: string;
}

/** The templates, if each is on lines of its own. */
function blockTemplates(text: string): YAMLMap | undefined {
  const templates = parseDocument(text).get("templates", true);
  return isMap(templates) && !templates.flow && templates.items.length > 0 ? templates : undefined;
}

function pairOf(templates: YAMLMap, name: string): Pair | undefined {
  return templates.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** The offsets of an entry, without blank lines and a comment after it. */
function rangeOf({ key, value }: Pair, text: string): [start: number, end: number] | undefined {
  if (!isScalar(key) || !key.range) return undefined;
  const { range } = value as { range?: [number, number, number] };
  if (!range) return undefined;
  return [key.range[0], text.slice(0, range[1]).trimEnd().length];
}

function indentAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
}

/** Replaces or inserts just the lines of the template; `undefined` if the formatting rules that out. */
function setInPlace(text: string, name: string, template: NewTemplate): string | undefined {
  const { contents } = parseDocument(text);
  if (contents === null || (isMap(contents) && !contents.flow && !contents.has("templates"))) {
    const before = text.trimEnd();
    return `${before}${before === "" ? "" : "\n\n"}templates:\n${
      entryLines(name, template, "  ")
    }\n`;
  }
  const templates = blockTemplates(text);
  if (templates === undefined) return undefined;
  const old = pairOf(templates, name);
  const range = rangeOf(old ?? templates.items.at(-1)!, text);
  if (range === undefined) return undefined;
  const [start, end] = range;
  const indent = indentAt(text, start);
  if (indent.trim() !== "") return undefined;
  const lines = entryLines(name, template, indent);
  if (old !== undefined) return text.slice(0, start - indent.length) + lines + text.slice(end);
  const lineEnd = text.indexOf("\n", end);
  const areApart = templates.items.slice(1).some(({ key }) => isScalar(key) && key.spaceBefore);
  return insertAt(text, lineEnd < 0 ? text.length : lineEnd, `\n${areApart ? "\n" : ""}${lines}`);
}

function setReformatting(text: string, name: string, entry: TemplateEntry): string {
  const document = parseDocument(text);
  const templates = document.get("templates", true);
  if (isMap(templates)) {
    templates.flow = false;
    templates.set(name, document.createNode(entry));
  } else {
    document.set("templates", document.createNode({ [name]: entry }));
  }
  return document.toString(YAML_STYLE);
}

/** Removes just the lines of the template; `undefined` if the formatting rules that out. */
function removeInPlace(text: string, name: string): string | undefined {
  const templates = blockTemplates(text);
  const pair = templates && pairOf(templates, name);
  const range = pair && templates.items.length > 1 ? rangeOf(pair, text) : undefined;
  if (range === undefined) return undefined;
  const start = range[0] - indentAt(text, range[0]).length;
  const lineEnd = text.indexOf("\n", range[1]);
  return text.slice(0, start) + (lineEnd < 0 ? "" : text.slice(lineEnd + 1));
}

function removeReformatting(text: string, name: string): string {
  const document = parseDocument(text);
  document.deleteIn(["templates", name]);
  const templates = document.get("templates", true);
  if (isMap(templates) && templates.items.length === 0) document.delete("templates");
  return document.toString(YAML_STYLE);
}

/**
 * The YAML of the template `name`, for editing: as it is in the file, with comments, or else formatted.
 *
 * @param text the content of `file`
 */
export function templateYaml(
  file: string,
  text: string,
  name: string,
  entry: TemplateEntry,
): string {
  const plain = text.replaceAll("\r\n", "\n");
  const templates = isJson(file) ? undefined : blockTemplates(plain);
  const pair = templates && pairOf(templates, name);
  const range = pair && rangeOf(pair, plain);
  const inner = isMap(pair?.value) && !pair.value.flow ? pair.value.items[0].key : undefined;
  if (range === undefined || !isScalar(inner) || !inner.range) return stringify(entry, YAML_STYLE);
  const keyEnd = (pair!.key as Scalar).range![1];
  const [, body = ""] = /^:[^\S\n]*\n([^]*)$/.exec(plain.slice(keyEnd, range[1])) ?? [];
  const indent = indentAt(plain, inner.range[0]);
  const lines = body.split("\n").map((line) =>
    line.startsWith(indent) ? line.slice(indent.length) : line
  );
  const yaml = `${lines.join("\n")}\n`;
  const isSame = body !== "" && isDeepStrictEqual(parseDocument(yaml).toJS(), entry);
  return isSame ? yaml : stringify(entry, YAML_STYLE);
}

type Templates = Record<string, TemplateEntry>;

function without(templates: Templates, name: string): Templates {
  const { [name]: _, ...others } = templates;
  return others;
}

/**
 * Adds or replaces the template `name` in `text`, the content of `file`, which must be well-formed.
 *
 * @throws {ConfigurationError} if the file cannot be edited automatically
 */
export function setTemplate(
  file: string,
  text: string,
  name: string,
  template: NewTemplate,
): string {
  const { entry } = template;
  return withoutBom(
    text,
    (text) =>
      isJson(file) ? editJson(text, ["templates", name], entry, {}) : editYaml(
        text,
        (value) => ({ ...value, templates: { ...value.templates as Templates, [name]: entry } }),
        (text) => setInPlace(text, name, template),
        (text) => setInPlace(text, name, { entry }),
        (text) => setReformatting(text, name, entry),
      ),
  );
}

/**
 * Removes the template `name`, which must exist, from `text`, the content of `file`.
 *
 * @throws {ConfigurationError} if the file cannot be edited automatically
 */
export function removeTemplate(file: string, text: string, name: string): string {
  return withoutBom(text, (text) => {
    if (isJson(file)) return editJson(text, ["templates", name], undefined, {});
    return editYaml(
      text,
      ({ templates, ...value }) => {
        const left = without(templates as Templates, name);
        return Object.keys(left).length === 0 ? value : { ...value, templates: left };
      },
      (text) => removeInPlace(text, name),
      (text) => removeReformatting(text, name),
    );
  });
}
