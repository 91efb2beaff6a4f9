/**
 * Defines `--extra-body`, which adds fields without a flag to the request.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { withExtraBody } from "../../lib/chat/extra_body.ts";
import { HELP_GROUPS } from "./help_groups.ts";
import { asObject, type Json, parseExact } from "../../lib/json/json.ts";

function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

/** Parses a value as JSON, or returns the text if it is not valid JSON. */
function valueOf(text: string): unknown {
  const value = parsed(text);
  return value === undefined ? text : value;
}

function fieldsOf(text: string): Json {
  if (text.trimStart().startsWith("{")) {
    const fields = asObject(parsed(text));
    if (fields !== undefined) return fields;
    throw new InvalidArgumentError("Expected a JSON object or name=value.");
  }
  const [, path, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  const names = path?.trim().split(".") ?? [];
  if (names.length === 0 || names.includes("")) {
    throw new InvalidArgumentError(
      "Expected name=value, such as min_p=0.05 or reasoning.effort=high, or a JSON object.",
    );
  }
  // fromEntries() creates a property even for __proto__; an assignment would set the prototype.
  return names.reduceRight<unknown>(
    (inner, name) => Object.fromEntries([[name, inner]]),
    valueOf(value),
  ) as Json;
}

/** Merges one `--extra-body` into the previous ones; later values take precedence. */
export function extraBody(text: string, previous: Json = {}): Json {
  return withExtraBody(previous, fieldsOf(text))!;
}

/** `--extra-body`, for every command that sends prompts. */
export const extraBodyFlag = new Option(
  "--extra-body <name=value>",
  "extra field of the request body (dots nest), or a JSON object (repeatable)",
).helpGroup(HELP_GROUPS.sampling).argParser(extraBody);
