/**
 * Validates the input of OpenAI's batches and encodes the results of their rows.
 *
 * Sources: OpenAI API reference, "Batch"; error codes from recorded traffic; Azure OpenAI, "Getting started
 * with batch deployments".
 *
 * @module
 */
import { readLinesSync } from "../../files/lines.ts";
import { asObject, asText, tryParse } from "../../json/json.ts";
import { countTokens } from "../text.ts";
import type { Blob } from "./blobs.ts";
import type { JobProblem } from "./job.ts";
import type { RowOutcome } from "./results.ts";
import type { BatchRow } from "./row_answers.ts";

/** What the scan of an input found. */
export interface InputScan {
  rows: number;
  tokens: number;
  model?: string;
  problem?: JobProblem;
}

/** How strict a provider is. */
export interface InputRules {
  /** The `endpoint` of the batch. */
  endpoint: string;
  maxRows: number;
  /** Whether rows may have several models and endpoints. */
  mixed: boolean;
  isAzure: boolean;
  /** Whether rows have a method and a URL. @default true */
  needsRequest?: boolean;
  /** @default true */
  needsId?: boolean;
  /** Whether each row names its model. @default true */
  needsModel?: boolean;
  /** Maximum characters of an id. @default no limit */
  maxId?: number;
  /** Maximum characters of a line. @default no limit */
  maxLine?: number;
}

/** Lines after which other work gets a turn. */
const SLICE = 2000;

/** The path of an endpoint, with the version: Azure writes `/chat/completions`. */
export function versioned(endpoint: string): string {
  return endpoint.startsWith("/v1/") ? endpoint : `/v1${endpoint}`;
}

/** Reads a line. */
export function parseOpenaiRow(line: unknown): BatchRow {
  const { custom_id, url, body } = asObject(line) ?? {};
  return { id: asText(custom_id) ?? "", path: versioned(asText(url) ?? "/"), body };
}

type Problem = [code: string, message: string, param?: string];

function lineProblem(
  text: string,
  seen: Set<string>,
  rules: InputRules,
  model: string | undefined,
): Problem | undefined {
  const { endpoint, mixed, isAzure, needsRequest = true, needsId = true } = rules;
  const { needsModel = true, maxId = Infinity, maxLine = Infinity } = rules;
  if (text.length > maxLine) {
    return ["line_too_long", `This line has more than ${maxLine} characters.`];
  }
  const row = asObject(tryParse(text));
  if (row === undefined) return ["invalid_json_line", "This line is not parseable as valid JSON."];
  const { custom_id, method, url } = row;
  const body = asObject(row.body);
  const ids = needsId ? ["custom_id"] : [];
  for (const name of [...ids, ...needsRequest ? ["method", "url"] : [], "body"]) {
    if (row[name] === undefined || row[name] === null) {
      return ["missing_required_parameter", `Missing required parameter: '${name}'.`, name];
    }
  }
  if (needsId && (typeof custom_id !== "string" || custom_id === "")) {
    return ["invalid_request", "Invalid type for 'custom_id': expected a string.", "custom_id"];
  }
  if (typeof custom_id === "string" && custom_id.length > maxId) {
    return ["invalid_request", `'custom_id' has more than ${maxId} characters.`, "custom_id"];
  }
  if (typeof custom_id === "string" && seen.has(custom_id)) {
    return [
      "duplicate_custom_id",
      `The custom_id for this request is a duplicate of another request: ${custom_id}.`,
      "custom_id",
    ];
  }
  if (needsRequest && method !== "POST") {
    return ["invalid_method", "The only supported method is POST.", "method"];
  }
  if (
    needsRequest && (typeof url !== "string" || !mixed && versioned(url) !== versioned(endpoint))
  ) {
    return [
      isAzure ? "url_mismatch" : "invalid_url",
      `The URL provided for this request does not match the batch endpoint: ${endpoint}.`,
      "url",
    ];
  }
  if (body === undefined) return ["invalid_request", "'body' must be an object.", "body"];
  if (needsModel && typeof body.model !== "string") {
    return [
      "missing_required_parameter",
      "Missing required parameter: 'body.model'.",
      "body.model",
    ];
  }
  if (!mixed && model !== undefined && body.model !== model) {
    return [
      isAzure ? "model_mismatch" : "mismatched_model",
      `The model '${body.model}' for this request does not match the rest of the batch: ${model}. ` +
      "Each batch must contain requests for a single model.",
      "body.model",
    ];
  }
  if (body.stream === true) {
    return ["streaming_unsupported", "Streaming is not supported in batches.", "body.stream"];
  }
  if (typeof custom_id === "string") seen.add(custom_id);
  return undefined;
}

/** Reads an input as far as the first invalid line. */
export async function scanInput(blob: Blob, rules: InputRules): Promise<InputScan> {
  const seen = new Set<string>();
  const scan: InputScan = { rows: 0, tokens: 0 };
  for (const { text, number, valid } of readLinesSync(blob.read)) {
    if (text.trim() === "") continue;
    const [code, message, param] = valid
      ? lineProblem(text, seen, rules, scan.model) ?? []
      : ["invalid_json_line", "This line is not valid UTF-8."];
    scan.rows++;
    if (code !== undefined) {
      return { ...scan, problem: { code, message: message!, line: number, param } };
    }
    scan.model ??= asText(asObject(asObject(tryParse(text))?.body)?.model);
    scan.tokens += countTokens(text);
    if (number % SLICE === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  if (scan.rows === 0) {
    const message = "The input file is empty. Please ensure that the batch is not empty.";
    return { ...scan, problem: { code: "empty_file", message } };
  }
  if (scan.rows > rules.maxRows) {
    const message = `The batch has ${scan.rows} requests; the maximum is ${rules.maxRows}.`;
    return { ...scan, problem: { code: "too_many_tasks", message } };
  }
  return scan;
}

const NOT_RUN = {
  expired: "This request could not be executed before the completion window expired.",
  cancelled: "This request was not executed because the batch was cancelled.",
};

/** Encodes the result of a row. */
export function encodeOpenaiOutcome(
  { index, id, answer, notRun }: RowOutcome,
  job: { id: string },
): unknown {
  const head = { id: `batch_req_${job.id.replace(/^batch_/, "")}${index}`, custom_id: id };
  if (answer === undefined) {
    const code = `batch_${notRun!}`;
    return { ...head, response: null, error: { code, message: NOT_RUN[notRun!] } };
  }
  const { status, requestId, body } = answer;
  return {
    ...head,
    response: { status_code: status, request_id: requestId, body },
    error: null,
  };
}
