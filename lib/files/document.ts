/**
 * Parses YAML or JSON with comments, and locates each value by line and column.
 *
 * @module
 */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
} from "jsonc-parser";
import { isMap, isScalar, LineCounter, parseDocument, type YAMLParseError } from "yaml";
import { ConfigurationError } from "../errors.ts";
import { describeParseError } from "../json/problem.ts";

const FIX_HINT = "Fix the file at that position. Nothing was sent.";

/** The field names and array indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** A parsed file. */
export interface ConfigDocument {
  /** The file's value; `null` if it is empty. */
  value: unknown;
  /** The position of the value at `path`, or of its name, as `file:line:column`. */
  locate(path: Path, part: "name" | "value"): string;
  /** The fields that a JSON object has more than once; in YAML they are an error. */
  duplicates: { name: string; place: string }[];
}

/** Explains errors whose message is about the YAML library or its terms. */
function describeYamlError({ code, message, pos: [start] }: YAMLParseError, text: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return `the field ${/^[^\s:]*/.exec(text.slice(start))![0]} appears twice`;
    case "MULTIPLE_DOCS":
      return "expected one document, found another one after ---";
    case "BLOCK_AS_IMPLICIT_KEY":
      return `expected one value after the first colon; a text with ": " needs quotes`;
    case "TAB_AS_INDENT":
      return "indented with a tab; use spaces";
    default:
      return message;
  }
}

function parseYaml(file: string, text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map((error) =>
      `${position(error.pos[0])}: not valid YAML: ${describeYamlError(error, text)}`
    );
    throw new ConfigurationError(mistakes.join("\n"), { hint: FIX_HINT });
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new ConfigurationError(`${file}: not valid YAML: ${reason}`, { cause, hint: FIX_HINT });
  }
  return {
    value,
    duplicates: [],
    locate(path, part) {
      const parent = document.getIn(path.slice(0, -1), true) ?? document.contents;
      const name = path.at(-1);
      const node = isMap(parent) && part === "name"
        ? parent.items.find(({ key }) => isScalar(key) && key.value === name)?.key
        : document.getIn(path, true);
      const range = (node ?? parent) as { range?: [number, number, number] | null } | null;
      return position(range?.range?.[0] ?? 0);
    },
  };
}

/** The name nodes of fields that an object below `node` has already. */
function duplicateNames(node: Node | undefined): Node[] {
  const { type, children = [] } = node ?? {};
  if (type !== "object") return children.flatMap(duplicateNames);
  const seen = new Set<string>();
  return children.flatMap(({ children: [name, value] = [] }) => {
    const isDuplicate = seen.has(name.value);
    seen.add(name.value);
    return [...isDuplicate ? [name] : [], ...duplicateNames(value)];
  });
}

function parseJson(file: string, text: string): ConfigDocument {
  const position = (offset: number) => {
    const before = text.slice(0, offset).split("\n");
    return `${file}:${before.length}:${before.at(-1)!.length + 1}`;
  };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined && text.trim() !== "") {
    const reason = describeParseError(error);
    throw new ConfigurationError(`${position(error.offset)}: not valid JSON: ${reason}`, {
      hint: FIX_HINT,
    });
  }
  return {
    value: root === undefined ? null : getNodeValue(root),
    duplicates: duplicateNames(root).map(({ value, offset }) => ({
      name: value,
      place: position(offset),
    })),
    locate(path, part) {
      const node = root && (findNodeAtLocation(root, [...path]) ??
        findNodeAtLocation(root, path.slice(0, -1)));
      const named = part === "name" ? node?.parent?.children?.[0] : node;
      return position((named ?? node)?.offset ?? 0);
    },
  };
}

/**
 * Parses `text`, the content of `file`: JSON if its extension is `.json` or `.jsonc`, else YAML.
 *
 * @throws {ConfigurationError} with file, line and column if it is not well-formed
 */
export function parseConfig(file: string, text: string): ConfigDocument {
  const bare = text.replace(/^\uFEFF/, "");
  return /\.jsonc?$/i.test(file) ? parseJson(file, bare) : parseYaml(file, bare);
}
