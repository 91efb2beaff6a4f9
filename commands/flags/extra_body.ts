/**
 * `--extra-body`: fields of the request that have no flag of their own.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { withExtraBody } from "../../lib/chat/extra_body.ts";
import { asObject, type Json, parseExact } from "../../lib/json/json.ts";

function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

/** The value of a field: JSON where it is JSON, otherwise the text itself. */
function valueOf(text: string): unknown {
  const value = parsed(text);
  return value === undefined ? text : value;
}

function fieldsOf(text: string): Json {
  if (text.trimStart().startsWith("{")) {
    const fields = asObject(parsed(text));
    if (fields !== undefined) return fields;
    throw new InvalidArgumentError("Expected a JSON object, or name=value.");
  }
  const [, path, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  const names = path?.trim().split(".") ?? [];
  if (names.length === 0 || names.includes("")) {
    throw new InvalidArgumentError(
      "Expected name=value, such as min_p=0.05 or reasoning.effort=high, or a JSON object.",
    );
  }
  // Not by assignment: that would set the prototype for the name __proto__.
  return names.reduceRight<unknown>(
    (inner, name) => Object.fromEntries([[name, inner]]),
    valueOf(value),
  ) as Json;
}

/** Adds one `--extra-body` to the previous ones; the last one wins. */
export function extraBody(text: string, before: Json = {}): Json {
  return withExtraBody(before, fieldsOf(text))!;
}

/** The flag of every command that sends prompts. */
export const extraBodyFlag = new Option(
  "--extra-body <name=value>",
  "field to add to the request (dots nest), or a JSON object; repeatable",
).argParser(extraBody);
