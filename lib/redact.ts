/**
 * Keeps API keys out of everything that is shown or stored.
 *
 * @module
 */
import { hash } from "node:crypto";

/** What stands in the place of a key. */
export const REDACTED = "[key removed]";

/** `text` without any of the `secrets`; very short ones (placeholders such as `x`) are left. */
export function redact(text: string, ...secrets: (string | undefined)[]): string {
  let result = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.length < 6) continue;
    result = result.replaceAll(secret, REDACTED);
    // In URLs and in JSON, other characters may represent it.
    for (const encoded of [encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      if (encoded !== secret) result = result.replaceAll(encoded, REDACTED);
    }
  }
  return result;
}

/** The status, headers and body of an answer. */
export interface ShownAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** An answer with all `secrets` removed, wherever the server repeats them. */
export function redactAnswer(
  { status, headers, body }: ShownAnswer,
  secrets: readonly string[],
): ShownAnswer {
  const shown = new Headers();
  for (const [name, value] of headers) shown.append(name, redact(value, ...secrets));
  return { status, headers: shown, body: redact(body, ...secrets) };
}

/** Headers that hold no secrets; all others are taken for one. */
const HARMLESS = /^(accept|content-type|user-agent|referer|http-referer|x-title|anthropic-.*)$/i;

/** Whether a header of this name may be shown. */
export function isHarmlessHeader(name: string): boolean {
  return HARMLESS.test(name);
}

/** Parameters of a URL that hold a key. */
const SECRET_PARAMETER = /key|token|secret|sig|pass|auth|code/i;

/** The secrets sent to a server: its key, and those in its headers and URL. */
export function secretsOf(
  { apiKey, headers, baseUrl }: {
    apiKey: string | undefined;
    headers: Record<string, string>;
    baseUrl?: string;
  },
): string[] {
  const secrets = Object.entries(headers)
    .filter(([name]) => !isHarmlessHeader(name))
    // With and without its scheme, such as "Bearer".
    .flatMap(([, value]) => [value, value.replace(/^\S+ +/, "")]);
  for (const [name, value] of URL.parse(baseUrl ?? "")?.searchParams ?? []) {
    if (SECRET_PARAMETER.test(name)) secrets.push(value, encodeURIComponent(value));
  }
  return apiKey === undefined ? secrets : [apiKey, ...secrets];
}

/** The part of a URL that is safe to show: credentials and the query may hold a key. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/$/, "")}`;
}

/** Identifies `secrets` without revealing them: 8 hexadecimal digits, or nothing without any. */
export function keyFingerprint(secrets: readonly string[]): string {
  if (secrets.length === 0) return "";
  return hash("sha256", `flexllm key\n${secrets.join("\n")}`).slice(0, 8);
}

/** A key as a person may see it: its end, for telling keys apart, or nothing of a short one. */
export function maskKey(key: string): string {
  return key.length >= 16 ? `…${key.slice(-4)}` : "…";
}

/** A URL as a file has it, perhaps not a valid one, without what may be secret. */
export function safeUrl(text: string): string {
  return text.replace(/\/\/[^/?#]*@/, "//").replace(/[?#].*$/s, "");
}
