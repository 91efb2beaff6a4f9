/**
 * Parses the body of a request as far as the gateway itself needs it. The rest is the provider's business:
 * unknown fields survive.
 *
 * @module
 */
import { asObject, isTooDeep, type Json, MAX_DEPTH } from "../../json/json.ts";
import { jsonProblem } from "../../json/problem.ts";
import type { RequestContext } from "../../protocols/serve.ts";
import { GatewayError } from "../gateway_error.ts";
import { hasRepeatedField } from "../../json/edit_fields.ts";

/** A parsed request body. */
export interface RequestBody {
  readonly text: string;
  readonly body: Json;
  readonly model: string;
  readonly stream: boolean;
}

function invalid(message: string, param?: string, hint?: string): GatewayError {
  return new GatewayError(400, message, { reason: "invalid_request", param, hint });
}

/** Larger texts are not searched for their mistake, which takes much longer than parsing them. */
const MAX_SEARCHED = 1024 * 1024;

/** The first mistake in a text that is not JSON, and where it is. */
function mistakeIn(text: string): string {
  if (text.length > MAX_SEARCHED) return "";
  const { line, column, reason } = jsonProblem(text);
  return `: ${reason} at line ${line}, column ${column}`;
}

/**
 * Parses a body that must be a JSON object.
 *
 * @throws {GatewayError} 400 if it is not
 */
export function parseObject(text: string): Json {
  if (text.trim() === "") {
    throw invalid("the request has no body", undefined, "Send a JSON object.");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    throw invalid(`the request body is not valid JSON${mistakeIn(text)}`);
  }
  const body = asObject(value);
  if (body === undefined) {
    const kind = Array.isArray(value) ? "an array" : value === null ? "null" : `a ${typeof value}`;
    throw invalid(`the request body must be a JSON object, not ${kind}`);
  }
  if (isTooDeep(body)) throw tooDeep();
  return body;
}

function tooDeep(): GatewayError {
  return invalid(`the request body is nested more than ${MAX_DEPTH} levels deep`);
}

/** Whether the model occurs in capitals as well: servers in Go ignore case, and would take either one. */
function hasOtherCase(body: Json): boolean {
  for (const name in body) {
    if (name.length === 5 && name !== "model" && name.toLowerCase() === "model") return true;
  }
  return false;
}

function modelOf(text: string, body: Json): string {
  const { model } = body;
  if (model === undefined || model === null || model === "") {
    throw invalid("the model is missing", "model", "Set it to one of the names in GET /v1/models.");
  }
  if (typeof model !== "string") {
    throw invalid(
      `"model" must be a string, not ${Array.isArray(model) ? "an array" : `a ${typeof model}`}`,
      "model",
    );
  }
  if (hasRepeatedField(text, "model", model) || hasOtherCase(body)) {
    throw invalid('"model" occurs more than once in the request body', "model");
  }
  return model;
}

/**
 * Parses the body of a call.
 *
 * @throws {GatewayError} 400 if it is not a JSON object that names its model
 */
export function parseRequestBody(text: string, context: RequestContext): RequestBody {
  const body = parseObject(text);
  // Gemini's clients may write the full name, models/NAME, in the path.
  const model = context.model?.replace(/^models\//, "") ?? modelOf(text, body);
  const stream = context.stream ?? body.stream === true;
  return { text, body, model, stream };
}
