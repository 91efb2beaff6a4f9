/**
 * Removes secrets from recordings: they are committed with tests.
 *
 * @module
 */
import { redact, REDACTED } from "../../redact.ts";
import { isSecretField } from "../secrets.ts";
import type { RecordedChunk } from "./exchange.ts";

/** Request headers that are recorded: none of them can hold a secret. */
const KEPT_REQUEST_HEADER =
  /^(accept|content-type|user-agent|anthropic-(version|beta)|openai-beta|x-goog-api-client)$/i;

/** Request headers whose values may appear in an answer, such as in the message of a 401. */
const SECRET_HEADER = /auth|key|token|secret|password|cookie/i;

/** Request headers that identify an account. */
const ACCOUNT_HEADER = /organi[sz]ation|project|account/i;

/** Shorter names of accounts, such as "default", may be ordinary words of an answer. */
const MIN_ACCOUNT = 12;

/** Response headers that identify an account. */
const PRIVATE_RESPONSE_HEADER =
  /cookie|^authorization|api-?key|secret|organi[sz]ation|project|account|tenant|user-id/i;

/**
 * Response headers that concern one connection or the real host, not the answer. `Content-Encoding` and
 * `Content-Length` go because bodies are recorded decompressed.
 */
const CONNECTION_HEADER =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-(encoding|length)|date|alt-svc|strict-transport-security|nel|report-to)$/i;

/** How OpenAI names organizations, projects and parts of keys in its error messages. */
const ACCOUNT_ID = /\b(org-|proj_|sk-)[\w*-]{8,}/g;

/** The request headers to record. */
export function keptRequestHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => KEPT_REQUEST_HEADER.test(name)));
}

/** The response headers to record. */
export function keptResponseHeaders(
  headers: Headers,
  secrets: readonly string[],
): Record<string, string> {
  const kept = [...headers].filter(([name]) =>
    !CONNECTION_HEADER.test(name) && !PRIVATE_RESPONSE_HEADER.test(name)
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, redact(value, ...secrets)]));
}

/** The secrets of a request: they are removed wherever the client or the server repeats them. */
export function secretsOf({ headers, url }: Request): string[] {
  const isSecret = ([name, value]: [string, string]) =>
    SECRET_HEADER.test(name) || ACCOUNT_HEADER.test(name) && value.length >= MIN_ACCOUNT;
  const values = [...headers].filter(isSecret)
    // With and without a scheme, such as "Bearer".
    .flatMap(([, value]) => [value, value.replace(/^\S+ +/, "")]);
  for (const [name, value] of new URL(url).searchParams) {
    if (isSecretField(name)) values.push(value);
  }
  return values;
}

/** A text without `secrets`; of an error, also without the ids of accounts. */
function redactText(text: string, secrets: readonly string[], isError: boolean): string {
  const clean = redact(text, ...secrets);
  return isError ? clean.replace(ACCOUNT_ID, REDACTED) : clean;
}

/** A response body without `secrets`. One that contained any becomes one chunk, since chunks may split them. */
export function redactChunks(
  chunks: RecordedChunk[],
  secrets: readonly string[],
  isError: boolean,
): RecordedChunk[] {
  if (chunks.some(({ text }) => text === undefined)) return chunks;
  const text = chunks.map(({ text }) => text).join("");
  const clean = redactText(text, secrets, isError);
  return clean === text ? chunks : [{ at: chunks[0].at, text: clean }];
}
