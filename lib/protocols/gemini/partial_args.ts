/**
 * Assembles function call arguments that arrive in pieces (`streamFunctionCallArguments`, Vertex AI only).
 *
 * Source: `PartialArg` in the types of `@google/genai`: a JSON path (RFC 9535) such as
 * `$.foo.bar[0].data`, and a value; strings may continue in the next piece. Fixtures of the `@ai-sdk/google`
 * package, recorded from Vertex AI: an entry without a value ends a string or is an empty object, and
 * `$.path[]` is an empty array.
 *
 * @module
 */
import { asObject, asObjects, type Json } from "../../json/json.ts";

type Segment = string | number;

/** `.name`, `['name']`, `["name"]` or `[0]`. */
const SEGMENT = /\.?([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

function parsePath(path: string): Segment[] {
  const segments: Segment[] = [];
  SEGMENT.lastIndex = path.startsWith("$") ? 1 : 0;
  for (let match = SEGMENT.exec(path); match !== null; match = SEGMENT.exec(path)) {
    const [, name, index, single, double] = match;
    segments.push(
      index === undefined ? name ?? (single ?? double).replace(/\\(.)/g, "$1") : Number(index),
    );
  }
  return segments;
}

/** Sets an own property, even one called `__proto__`. */
function set(container: object, segment: Segment, value: unknown): void {
  Object.defineProperty(container, segment, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function get(container: object, segment: Segment): unknown {
  return Object.hasOwn(container, segment) ? (container as Json)[segment] : undefined;
}

/** Returns the container of the last segment of a path, and creates missing ones. */
function containerOf(root: object, path: readonly Segment[]): object | undefined {
  let container = root;
  for (const [i, segment] of path.entries()) {
    // An index far beyond the end would waste memory on holes.
    if (Array.isArray(container) && !(Number(segment) <= container.length)) return undefined;
    if (i === path.length - 1) break;
    let next = get(container, segment);
    if (typeof next !== "object" || next === null) {
      next = typeof path[i + 1] === "number" ? [] : {};
      set(container, segment, next);
    }
    container = next as object;
  }
  return container;
}

function valueOf(piece: Json): unknown {
  return piece.stringValue ?? piece.numberValue ?? piece.boolValue ??
    ("nullValue" in piece ? null : undefined);
}

/** Adds pieces of arguments to `args` in place. */
export function addPartialArgs(args: Json, pieces: unknown): void {
  for (const piece of asObjects(pieces)) {
    const path = typeof piece.jsonPath === "string" ? piece.jsonPath : "$";
    const isArray = path.endsWith("[]");
    const segments = parsePath(isArray ? path.slice(0, -2) : path);
    const last = segments.at(-1);
    if (last === undefined) continue;
    const container = containerOf(args, segments);
    if (container === undefined) continue;
    const known = get(container, last);
    const value = valueOf(piece);
    if (typeof known === "string" && typeof value === "string") {
      set(container, last, known + value);
    } else if (value !== undefined) {
      set(container, last, value);
    } else if (known === undefined && piece.willContinue !== true) {
      set(container, last, isArray ? [] : {});
    }
  }
}

/** Whether a function call is incomplete: the start of one, or a piece. */
export function isPartialCall(call: Json): boolean {
  return call.willContinue === true || Array.isArray(call.partialArgs) ||
    (!call.name && asObject(call.args) === undefined);
}
