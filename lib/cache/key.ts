/**
 * The key of a request in the response cache: what is sent, without what cannot change the answer.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonicalJson } from "../json/canonical.ts";
import { asObject, parseExact } from "../json/json.ts";

/** A later version of the key or of what is stored under it finds nothing, instead of failing. */
const KEY_VERSION = 1;

/** What a key stands for. */
export interface CacheKeyParts {
  /** Keeps caches apart that share a store; default none. */
  namespace?: string;
  /** The base URL in its normal form. */
  baseUrl: string;
  /** The wire format: the name of the provider. */
  format: string;
  /** The model that is asked; Gemini has it in the URL, not in the body. */
  model: string;
  /** The body as it is sent. Headers, and with them the API key, are no part of the key. */
  body: string;
}

/** How an answer travels, which a plain and a streamed request share. */
const TRANSPORT = ["stream", "stream_options"];

/**
 * What the APIs say is meant when a field is left out, as canonical JSON. Only what holds for every
 * server of the format: a temperature of 1 is OpenAI's default, but not that of each compatible server.
 */
const DEFAULTS: Record<string, string[]> = {
  n: ["1"],
  response_format: ['{"type":"text"}'],
  tool_choice: ['"auto"', '{"type":"auto"}'],
  toolConfig: ['{"functionCallingConfig":{"mode":"AUTO"}}'],
};

/** The body without what makes no difference, its fields in one order. */
function canonicalBody(text: string): string {
  const value = parseExact(text);
  const body = asObject(value);
  if (body !== undefined) {
    for (const name of TRANSPORT) delete body[name];
    for (const name in DEFAULTS) {
      if (name in body && DEFAULTS[name].includes(canonicalJson(body[name]))) delete body[name];
    }
  }
  return canonicalJson(value);
}

/**
 * The key: 256 bits as 43 characters. Equal for requests that can only differ in the order of their
 * fields, in options that say what holds anyway, and in how the answer is sent.
 */
export function cacheKey({ namespace = "", baseUrl, format, model, body }: CacheKeyParts): string {
  const place = JSON.stringify([KEY_VERSION, namespace, baseUrl, format, model]);
  return hash("sha256", `${place}\n${canonicalBody(body)}`, "base64url");
}
