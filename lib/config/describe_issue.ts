/**
 * Describes violations of the configuration schema: where, which field, what was expected.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import type * as v from "valibot";
import { priceEntries } from "../pricing/price_file.ts";
import type { ConfigDocument, Path } from "../files/document.ts";
import {
  cacheEntries,
  configSchema,
  endpointEntries,
  IGNORED_BATCH_FIELDS,
  templateEntries,
} from "./schema.ts";

type Issue = v.BaseIssue<unknown>;

/** A violation at the full path of its value; paths in the issues of a union start at the union. */
interface Violation {
  issue: Issue;
  path: Path;
}

function pathOf(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => key as string | number);
}

/** A path as users write it, e.g. `batch.endpoints[0].model`. */
function dotted(path: Path): string {
  return path.reduce<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${key}` : key,
    "",
  );
}

/** The valid field names at `path`. */
function knownFields(path: Path): string[] {
  const [section, ...inner] = path;
  const entries = configSchema.entries;
  if (inner.length === 0) return Object.keys(entries);
  if (path.at(-2) === "price") return Object.keys(priceEntries);
  if (section === "cache") return Object.keys(cacheEntries);
  if (section === "templates") return Object.keys(templateEntries);
  if (section === "models") return Object.keys(entries.models.wrapped.item.entries);
  if (inner[0] === "endpoints" && inner.length > 1) return Object.keys(endpointEntries);
  return [...Object.keys(entries.batch.wrapped.entries), ...IGNORED_BATCH_FIELDS];
}

/** The rejected value; strings that may be keys are not shown. */
function received(issue: Issue, path: Path): string {
  const mayBeKey = path.some((name) => name === "api_key" || name === "headers") ||
    typeof path.at(-1) === "number";
  if (issue.received === "Object") return "an object";
  if (issue.received === "Array") return "a list";
  return mayBeKey && issue.received.startsWith('"') ? "a string" : issue.received.slice(0, 80);
}

function isUnknownField({ type, expected }: Issue): boolean {
  return type === "strict_object" && expected === "never";
}

/**
 * Splits an issue into what is to be fixed. An object that matches no option of a union violates the rules of
 * its fields, and Valibot reports only the first unknown field of an object.
 */
function violationsOf(issue: Issue, parent: Path): Violation[] {
  const path = [...parent, ...pathOf(issue)];
  if (issue.type === "union") {
    const inner = (issue.issues ?? []).filter((part) => part.path !== undefined);
    if (inner.length > 0) return inner.flatMap((part) => violationsOf(part, path));
  }
  if (!isUnknownField(issue)) return [{ issue, path }];
  const known = knownFields(path);
  return Object.keys(issue.path!.at(-1)!.input as object)
    .filter((name) => !known.includes(name))
    .map((name) => ({ issue, path: [...path.slice(0, -1), name] }));
}

function describeViolation({ issue, path }: Violation, document: ConfigDocument): string {
  const field = dotted(path);
  if (isUnknownField(issue)) {
    const name = String(path.at(-1));
    const known = knownFields(path);
    const guess = closest(name, known);
    const hint = distance(name, guess) <= Math.min(3, name.length / 2)
      ? `did you mean "${guess}"?`
      : `expected one of ${known.join(", ")}`;
    return `${document.locate(path, "name")}: unknown field "${name}": ${hint}`;
  }
  if (issue.received === "undefined") {
    const parent = field.replace(/\.[^.]*$/, "");
    const place = document.locate(path.slice(0, -1), "value");
    return `${place}: missing field "${path.at(-1)}" in ${parent}`;
  }
  const place = document.locate(path, "value");
  return `${place}: ${field || "the file"}: ${issue.message}, got ${received(issue, path)}`;
}

/** Describes the problems behind `issue`, each in one line that starts with `file:line:column`. */
export function describeIssue(issue: Issue, document: ConfigDocument): string[] {
  return violationsOf(issue, []).map((violation) => describeViolation(violation, document));
}
