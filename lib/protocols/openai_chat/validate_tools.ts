/**
 * Validates tools and schemas as OpenAI does, for Chat Completions and Responses.
 *
 * Source: OpenAI's guides "Function calling" and "Structured outputs" ("Supported schemas"), and error
 * bodies as users report them.
 *
 * @module
 */
import { asObject, asObjects, type Json } from "../../json/json.ts";
import { type Fields, reject } from "../body_checks.ts";
import { openaiWording as wording } from "./validate_wording.ts";

const NAME = /^[a-zA-Z0-9_-]+$/;

/** Checks the name of a function or a schema. */
export function checkName(fields: Fields): void {
  const name = fields.required("name").string("name") ?? "";
  if (!NAME.test(name)) {
    reject(
      `Invalid '${
        fields.at("name")
      }': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      fields.at("name"),
      "invalid_value",
    );
  }
  if (name.length > 64) {
    reject(
      `Invalid '${
        fields.at("name")
      }': string too long. Expected a string with maximum length 64, but got a string with length ${name.length} instead.`,
      fields.at("name"),
      "string_above_max_length",
    );
  }
}

/** The first violation of the rules for strict schemas: every object is closed and requires all fields. */
function strictProblem(schema: Json, context: string): string | undefined {
  const properties = asObject(schema.properties);
  if (schema.type === "object" || properties !== undefined) {
    if (schema.additionalProperties !== false) {
      return `In context=(${context}), 'additionalProperties' is required to be supplied and to be false.`;
    }
    const required = Array.isArray(schema.required) ? schema.required : [];
    const missing = Object.keys(properties ?? {}).find((name) => !required.includes(name));
    if (missing !== undefined) {
      return `In context=(${context}), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  const join = (...names: string[]) =>
    [context, ...names.map((name) => `'${name}'`)].filter((part) => part !== "").join(", ");
  for (const group of ["properties", "$defs", "definitions"]) {
    for (const [name, child] of Object.entries(asObject(schema[group]) ?? {})) {
      const problem = strictProblem(asObject(child) ?? {}, join(group, name));
      if (problem !== undefined) return problem;
    }
  }
  const items = asObject(schema.items);
  if (items !== undefined) return strictProblem(items, join("items"));
  for (const [i, child] of asObjects(schema.anyOf).entries()) {
    const problem = strictProblem(child, join("anyOf", String(i)));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Rejects a strict schema that violates the rules. */
export function checkStrict(schema: unknown, what: string, param: string, code?: string): void {
  const problem = strictProblem(asObject(schema) ?? {}, "");
  if (problem !== undefined) reject(`Invalid schema for ${what}: ${problem}`, param, code);
}

/** Checks the name and the schema of a function. */
export function checkFunction(fn: Fields, official: boolean): void {
  checkName(fn);
  fn.string("description");
  fn.boolean("strict");
  const parameters = fn.object("parameters")?.value;
  if (parameters === undefined) return;
  const what = `function '${fn.value.name}'`;
  const [param, code] = [fn.at("parameters"), "invalid_function_parameters"];
  const { type } = parameters;
  if (type !== undefined && type !== "object") {
    reject(
      `Invalid schema for ${what}: schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`,
      param,
      code,
    );
  }
  if (official && fn.value.strict === true) checkStrict(parameters, what, param, code);
}

/** Rejects fields that need tools if there are none. */
export function checkToolsExist(body: Fields): void {
  if ((body.array("tools")?.length ?? 0) > 0) return;
  for (const name of ["tool_choice", "parallel_tool_calls"]) {
    if (!body.has(name)) continue;
    reject(
      `Invalid value for '${name}': '${name}' is only allowed when 'tools' are specified.`,
      name,
    );
  }
}

/** Rejects a tool choice that is not in `names`. */
export function checkToolExists(name: unknown, names: readonly unknown[], type: string): void {
  if (typeof name !== "string") wording.missing("tool_choice.name");
  if (!names.includes(name)) {
    reject(`Tool choice '${type}' '${name}' not found in 'tools' parameter.`, "tool_choice");
  }
}

/** Whether `schema` obeys the rules for strict schemas. */
export function isStrictSchema(schema: Json): boolean {
  return strictProblem(schema, "") === undefined;
}
