/**
 * Answers embedding requests in OpenAI's and Gemini's formats.
 *
 * Sources: OpenAI API reference, "Embeddings"; Gemini API reference, "Embeddings".
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { asObject, asObjects, type Json } from "../json/json.ts";
import type { ServerError } from "../protocols/serve.ts";
import { embeddingOf } from "./embedding_vector.ts";
import { countTokens } from "./text.ts";

/** The paths that answer with embeddings. */
export type EmbeddingOperation =
  /** OpenAI's `/embeddings`. */
  | "embeddings"
  /** Gemini's `:embedContent`. */
  | "embedContent"
  /** Gemini's `:batchEmbedContents`. */
  | "batchEmbedContents";

/** An answer to an embedding request. */
export interface EmbeddingAnswer {
  body: Json;
  /** Tokens of all texts. */
  tokens: number;
}

/** OpenAI's maximum number of inputs per request. */
const MAX_INPUTS = 2048;
/** The largest size of the models that are known; larger values are mistakes. */
const MAX_DIMENSIONS = 16_384;
const GEMINI_DIMENSIONS = 3072;

function invalid(message: string, param?: string): ServerError {
  return { status: 400, message, param };
}

function isTokens(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((token) => Number.isInteger(token) && token >= 0);
}

/** A text, or tokens as they are in a request: each is taken for a word. */
interface Input {
  text: string;
  tokens: number;
}

function inputOf(value: unknown): Input | undefined {
  if (typeof value === "string" && value !== "") return { text: value, tokens: countTokens(value) };
  return isTokens(value) ? { text: value.join(" "), tokens: value.length } : undefined;
}

function inputsOf(value: unknown): Input[] | ServerError {
  if (value === undefined || value === null) {
    return invalid("Missing required parameter: 'input'.", "input");
  }
  const list = Array.isArray(value) && !isTokens(value) ? value : [value];
  if (list.length === 0) return invalid("Invalid 'input': expected at least one item.", "input");
  if (list.length > MAX_INPUTS) {
    const message = `Invalid 'input': maximum array length is ${MAX_INPUTS}, got ${list.length}.`;
    return invalid(message, "input");
  }
  const inputs: Input[] = [];
  for (const [i, item] of list.entries()) {
    const input = inputOf(item);
    const place = Array.isArray(value) && !isTokens(value) ? `input[${i}]` : "input";
    if (input === undefined) {
      return invalid(
        item === ""
          ? `Invalid '${place}': input cannot be an empty string.`
          : `Invalid '${place}': expected a string or an array of token integers.`,
        "input",
      );
    }
    inputs.push(input);
  }
  return inputs;
}

function dimensionsOf(value: unknown, usual: number, name: string): number | ServerError {
  if (value === undefined || value === null) return usual;
  if (Number.isInteger(value) && value as number >= 1 && value as number <= MAX_DIMENSIONS) {
    return value as number;
  }
  return invalid(`Invalid '${name}': expected an integer from 1 to ${MAX_DIMENSIONS}.`, name);
}

function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((number, i) => bytes.writeFloatLE(number, i * 4));
  return bytes.toString("base64");
}

function openaiEmbeddings(body: Json, seed: number): EmbeddingAnswer | ServerError {
  const { model, input, encoding_format: format = "float" } = body;
  if (typeof model !== "string" || model === "") {
    return invalid("you must provide a model parameter", "model");
  }
  const inputs = inputsOf(input);
  if (!Array.isArray(inputs)) return inputs;
  if (format !== "float" && format !== "base64") {
    const message = "Invalid 'encoding_format': expected 'float' or 'base64'.";
    return invalid(message, "encoding_format");
  }
  const usual = /3-large/.test(model) ? 3072 : 1536;
  const dimensions = dimensionsOf(body.dimensions, usual, "dimensions");
  if (typeof dimensions !== "number") return dimensions;
  const data = inputs.map(({ text }, index) => {
    const vector = embeddingOf(text, dimensions, seed);
    const embedding = format === "base64" ? base64(vector) : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, { tokens }) => sum + tokens, 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { body: { object: "list", data, model, usage }, tokens };
}

/** One of Gemini's requests, which a batch contains a list of. */
function geminiVector(
  request: Json,
  place: string,
  seed: number,
): { values: number[]; tokens: number } | ServerError {
  const config = asObject(request.embedContentConfig) ?? {};
  const parts = asObjects(asObject(request.content)?.parts);
  const text = parts.map(({ text }) => typeof text === "string" ? text : "").join("\n");
  const hasMedia = parts.some((part) => "inlineData" in part || "fileData" in part);
  if (text === "" && !hasMedia) return invalid(`* ${place}content: content is empty`);
  const size = request.outputDimensionality ?? config.outputDimensionality;
  const dimensions = dimensionsOf(size, GEMINI_DIMENSIONS, `${place}output_dimensionality`);
  if (typeof dimensions !== "number") return dimensions;
  const content = hasMedia ? JSON.stringify(parts) : text;
  return { values: [...embeddingOf(content, dimensions, seed)], tokens: countTokens(content) };
}

function geminiEmbedding(body: Json, seed: number): EmbeddingAnswer | ServerError {
  const made = geminiVector(body, "EmbedContentRequest.", seed);
  if ("status" in made) return made;
  const { values, tokens } = made;
  return {
    body: { embedding: { values }, usageMetadata: { promptTokenCount: tokens } },
    tokens,
  };
}

function geminiBatch(body: Json, seed: number): EmbeddingAnswer | ServerError {
  const requests = asObjects(body.requests);
  if (requests.length === 0) return invalid("* BatchEmbedContentsRequest.requests: is empty");
  const embeddings: { values: number[] }[] = [];
  let tokens = 0;
  for (const [i, request] of requests.entries()) {
    const made = geminiVector(request, `BatchEmbedContentsRequest.requests[${i}].`, seed);
    if ("status" in made) return made;
    embeddings.push({ values: made.values });
    tokens += made.tokens;
  }
  return { body: { embeddings, usageMetadata: { promptTokenCount: tokens } }, tokens };
}

/** Answers an embedding request, or describes the first mistake in it. */
export function embed(
  operation: EmbeddingOperation,
  body: Json,
  seed: number,
): EmbeddingAnswer | ServerError {
  switch (operation) {
    case "embeddings":
      return openaiEmbeddings(body, seed);
    case "embedContent":
      return geminiEmbedding(body, seed);
    case "batchEmbedContents":
      return geminiBatch(body, seed);
  }
}
