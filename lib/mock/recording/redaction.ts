/**
 * Removes secrets from recordings: they are committed with tests.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { redact, REDACTED } from "../../redact.ts";
import { isSecretField, isSecretHeader } from "../secrets.ts";
import { decodeBytes } from "./bytes.ts";
import type { RecordedChunk } from "./exchange.ts";
import { withoutKeys } from "./secret_text.ts";

/** Request headers that are recorded: none of them can hold a secret. */
const KEPT_REQUEST_HEADER =
  /^(accept|content-type|user-agent|anthropic-(version|beta)|openai-beta|x-goog-api-client)$/i;

/** Request headers that identify an account. */
const ACCOUNT_HEADER = /organi[sz]ation|project|account/i;

/** Shorter names of accounts, such as "default", may be ordinary words of an answer. */
const MIN_ACCOUNT = 12;

/** Response headers that identify an account or hold a key. */
const PRIVATE_RESPONSE_HEADER =
  /cookie|^authorization|key|secret|token(?!s)|session|credential|organi[sz]ation|project|account|tenant|user-id/i;

/** What clients send to servers that need no key. Such words occur in answers. */
const DUMMY =
  /^(empty|none|null|dummy|fake|unused|ollama|lm-studio|not-needed|no-key|no-key-required)$/i;

/**
 * Response headers that concern one connection or the real host, not the answer. `Content-Encoding` and
 * `Content-Length` go because bodies are recorded decompressed.
 */
const CONNECTION_HEADER =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-(encoding|length)|date|alt-svc|strict-transport-security|nel|report-to)$/i;

/** How OpenAI names organizations, projects and parts of keys in its error messages. */
const ACCOUNT_ID = /\b(org-|proj_|sk-)[\w*-]{8,}/g;

/** The request headers to record. */
export function keptRequestHeaders(
  headers: Headers,
  secrets: readonly string[],
): Record<string, string> {
  const kept = [...headers].filter(([name]) => KEPT_REQUEST_HEADER.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, redact(value, ...secrets)]));
}

/** The response headers to record. */
export function keptResponseHeaders(
  headers: Headers,
  secrets: readonly string[],
): Record<string, string> {
  const kept = [...headers].filter(([name]) =>
    !CONNECTION_HEADER.test(name) && !PRIVATE_RESPONSE_HEADER.test(name)
  );
  return Object.fromEntries(
    kept.map(([name, value]) => [name, withoutKeys(redact(value, ...secrets))]),
  );
}

/** The user and password of HTTP basic authentication, which a server may repeat separately. */
function basicCredentials(value: string): string[] {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(value)?.[1];
  if (encoded === undefined) return [];
  const pair = Buffer.from(encoded, "base64").toString();
  return [pair, pair.replace(/^[^:]*:/, "")];
}

/** What a secret header contains: its value, also without a scheme such as "Bearer", and its parts. */
function secretParts([name, value]: [string, string]): string[] {
  const parts = [value, value.replace(/^\S+ +/, ""), ...basicCredentials(value)];
  if (!/cookie/i.test(name)) return parts;
  return [...parts, ...value.split(/; */).map((cookie) => cookie.replace(/^[^=]*=/, ""))];
}

/** How a secret is written in JSON. */
function jsonForms(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  return [escaped, escaped.replaceAll("/", "\\/")].filter((form) => form !== secret);
}

/** The secrets of a request: they are removed wherever the client or the server repeats them. */
export function secretsOf({ headers, url }: Request): string[] {
  const isSecret = ([name, value]: [string, string]) =>
    isSecretHeader(name) || ACCOUNT_HEADER.test(name) && value.length >= MIN_ACCOUNT;
  const values = [...headers].filter(isSecret).flatMap(secretParts);
  for (const [name, value] of new URL(url).searchParams) {
    if (isSecretField(name)) values.push(value);
  }
  return [...new Set(values)].filter((value) => !DUMMY.test(value))
    .flatMap((value) => [value, ...jsonForms(value)])
    // Longer ones first: one may contain another.
    .sort((a, b) => b.length - a.length);
}

/** A text without keys; of an error, also without the ids of accounts. */
function redactText(text: string, secrets: readonly string[], isError: boolean): string {
  const clean = withoutKeys(redact(text, ...secrets));
  return isError ? clean.replace(ACCOUNT_ID, REDACTED) : clean;
}

/** Binary chunks without `secrets`, as they would be in a text of another encoding. */
function redactBinary(chunks: RecordedChunk[], secrets: readonly string[]): RecordedChunk[] {
  const text = Buffer.concat(chunks.map(decodeBytes)).toString("latin1");
  const clean = redact(text, ...secrets);
  if (clean === text) return chunks;
  return [{ at: chunks[0].at, base64: Buffer.from(clean, "latin1").toString("base64") }];
}

/** A response body without keys. If chunks split one, the body becomes one chunk. */
export function redactChunks(
  chunks: RecordedChunk[],
  secrets: readonly string[],
  isError: boolean,
): RecordedChunk[] {
  if (chunks.some(({ text }) => text === undefined)) return redactBinary(chunks, secrets);
  const text = chunks.map(({ text }) => text).join("");
  const clean = redactText(text, secrets, isError);
  if (clean === text) return chunks;
  const each = chunks.map((chunk) => ({
    at: chunk.at,
    text: redactText(chunk.text!, secrets, isError),
  }));
  if (each.map((chunk) => chunk.text).join("") === clean) return each;
  return [{ at: chunks[0].at, text: clean }];
}
