/**
 * Describes violations of the configuration schema: where, which field, what was expected.
 *
 * @module
 */
import type * as v from "valibot";
import type { ConfigDocument, Path } from "../files/document.ts";
import { configSchema, IGNORED_BATCH_FIELDS } from "./schema.ts";
import { similarName } from "../similar_name.ts";

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

/** The parts of Valibot's schemas that lead to the schema of a field. */
interface SchemaNode {
  type: string;
  /** What is expected instead of a wrong value. */
  message?: unknown;
  entries?: Record<string, SchemaNode>;
  /** Of an array. */
  item?: SchemaNode;
  /** Of a record. */
  value?: SchemaNode;
  /** Of an optional field. */
  wrapped?: SchemaNode;
  /** Of a union. */
  options?: readonly (SchemaNode | string)[];
}

/** The schemas that a value at `path` below `node` may have; more than one below a union. */
function schemasAt(node: SchemaNode | undefined, path: Path): SchemaNode[] {
  if (node === undefined) return [];
  if (node.wrapped !== undefined) return schemasAt(node.wrapped, path);
  if (node.type === "union") {
    return (node.options ?? []).flatMap((each) =>
      typeof each === "string" ? [] : schemasAt(each, path)
    );
  }
  const [name, ...rest] = path;
  if (name === undefined) return [node];
  const inner = node.entries === undefined
    ? node.item ?? node.value
    : Object.hasOwn(node.entries, name)
    ? node.entries[name]
    : undefined;
  return schemasAt(inner, rest);
}

/** The valid field names of the object that contains the field at `path`. */
function knownFields(path: Path): string[] {
  const parents = schemasAt(configSchema as SchemaNode, path.slice(0, -1));
  const names = parents.flatMap(({ entries = {} }) => Object.keys(entries));
  return path.length === 2 && path[0] === "batch" ? [...names, ...IGNORED_BATCH_FIELDS] : names;
}

/** The name that a value which must be one of several was probably meant to be. */
function similarValue({ type, input }: Issue, path: Path): string | undefined {
  if (type !== "picklist" || typeof input !== "string") return undefined;
  const names = schemasAt(configSchema as SchemaNode, path)
    .flatMap(({ options = [] }) => options.filter((each) => typeof each === "string"));
  return similarName(input, names);
}

/** The rejected value; strings that may be keys are not shown. */
function received(issue: Issue, path: Path): string {
  const mayBeKey =
    path.some((name) => ["api_key", "admin_key", "headers"].includes(String(name))) ||
    typeof path.at(-1) === "number" && path.at(-2) !== "cors";
  if (issue.input === "") return '""';
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
    const guess = similarName(name, known);
    const hint = guess === undefined
      ? `expected one of ${known.join(", ")}`
      : `did you mean "${guess}"?`;
    return `${document.locate(path, "name")}: unknown field "${name}": ${hint}`;
  }
  if (issue.received === "undefined") {
    const parent = field.replace(/\.[^.]*$/, "");
    const place = document.locate(path.slice(0, -1), "value");
    return `${place}: missing field "${path.at(-1)}" in ${parent}`;
  }
  const place = document.locate(path, "value");
  const got = received(issue, path);
  const guess = similarValue(issue, path);
  const problem = guess === undefined
    ? `${issue.message}, got ${got}`
    : `got ${got}, did you mean "${guess}"?`;
  return `${place}: ${field || "the file"}: ${problem}`;
}

/** The paths of the lists in `value` where the schemas only allow named fields, and what they expect. */
function misplacedLists(
  value: unknown,
  schemas: readonly SchemaNode[],
  path: Path,
): { path: Path; expected: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const sections = schemas.filter(({ type, entries }) =>
    entries !== undefined || type === "record"
  );
  if (Array.isArray(value) && sections.length > 0) {
    const takesLists = schemas.some(({ type }) => type === "array" || type === "unknown");
    const message = sections.find(({ message }) => typeof message === "string")?.message;
    if (!takesLists) return [{ path, expected: String(message ?? "expected named fields") }];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = Array.isArray(value) ? Number(key) : key;
    return misplacedLists(inner, schemas.flatMap((each) => schemasAt(each, [name])), [
      ...path,
      name,
    ]);
  });
}

/**
 * Describes what is wrong with the value of a configuration file, each problem in one line that starts with
 * `file:line:column`.
 *
 * @param issues what Valibot reports about it
 */
export function describeIssues(
  value: unknown,
  issues: readonly Issue[],
  document: ConfigDocument,
): string[] {
  // Valibot takes a list for an object with numeric fields.
  const lists = misplacedLists(value, [configSchema as SchemaNode], []);
  const isInList = ({ path }: Violation) =>
    lists.some((list) => list.path.every((name, i) => path[i] === name));
  return [
    ...lists.map(({ path, expected }) =>
      `${document.locate(path, "value")}: ${dotted(path)}: ${expected}, got a list`
    ),
    ...issues.flatMap((issue) => violationsOf(issue, []))
      .filter((violation) => !isInList(violation))
      .map((violation) => describeViolation(violation, document)),
  ];
}
