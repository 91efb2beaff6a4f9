/**
 * Sorts the fields of a request into those that the translated lane carries, drops or refuses.
 *
 * A field is dropped if it is a hint, an offer or bookkeeping: the answer means the same without it. It is
 * refused if it changes what the answer means. Unknown fields are dropped, since clients add hints with
 * every version.
 *
 * @module
 */
import { asObject, type Json } from "../../../../json/json.ts";
import { GatewayError } from "../../../gateway_error.ts";

/** What happens to a field. */
export type FieldRule =
  /** An option or a message has it. */
  | "carried"
  /** It is left out, and named in the answer's headers. */
  | "dropped"
  /** The request is refused if `isHarmless` does not hold; else it is left out silently. */
  | { refused: string; isHarmless?: (value: unknown) => boolean }
  /** Left out: silently for the values that equal its absence. */
  | { dropped: true; isHarmless: (value: unknown) => boolean }
  /** Each of its own fields has a rule. */
  | { fields: FieldRules };

/** The rules for the fields of one object. */
export type FieldRules = Readonly<Record<string, FieldRule>>;

/** A refusal with a reason in other words than that the field has no counterpart. */
export function refused(hint: string, isHarmless?: (value: unknown) => boolean): FieldRule {
  return { refused: hint, isHarmless };
}

/** A rule for a field of which one value means the same as no value. */
export function droppedUnless(...harmless: readonly unknown[]): FieldRule {
  return { dropped: true, isHarmless: (value) => harmless.includes(value) };
}

/** The error for a part of a request that the endpoint's format cannot carry. */
export function unsupportedField(param: string, message: string, hint?: string): GatewayError {
  return new GatewayError(400, message, { reason: "unsupported", param, hint });
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/**
 * Applies `rules` to a body.
 *
 * @param who the API that the request goes to, for errors
 * @throws {GatewayError} that names a refused field
 */
export function applyFieldRules(
  body: Json,
  rules: FieldRules,
  who: string,
  dropped: Set<string>,
  prefix = "",
): void {
  for (const name in body) {
    const value = body[name];
    const rule = Object.hasOwn(rules, name) ? rules[name] : "dropped";
    if (rule === "carried" || isEmpty(value)) continue;
    const path = prefix + name;
    if (rule === "dropped") dropped.add(path);
    else if ("fields" in rule) {
      const fields = asObject(value);
      if (fields !== undefined) applyFieldRules(fields, rule.fields, who, dropped, `${path}.`);
    } else if (rule.isHarmless?.(value)) continue;
    else if ("refused" in rule) {
      throw unsupportedField(path, `${who} has no counterpart of ${path}`, rule.refused);
    } else dropped.add(path);
  }
}
