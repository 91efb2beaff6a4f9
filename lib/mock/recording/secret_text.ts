/**
 * Removes keys from text by what is around them and by their form, wherever a recording might hold one.
 *
 * @module
 */
import { REDACTED } from "../../redact.ts";
import { isSecretBodyField, isSecretField } from "../secrets.ts";

/** The start of a JSON field with a string. Inside another string, quotes would be escaped. */
const JSON_FIELD = /"([\w.-]{3,60})"\s{0,20}:\s{0,20}"/g;

/** What may end the string. */
const STRING_END = /"|\\[^]/g;

/** A field of a multipart form: its name, and its value unless that is a file. */
const FORM_PART =
  /(\bname="([^"\r\n]{1,60})"\r\n(?:[^\r\n]{1,500}\r\n){0,9}\r\n)([^\r\n]{1,20000})/g;

/** A field of a query within a text. A short value is rather an example. */
const QUERY_FIELD = /([?&]([\w.-]{2,40})=)[\w%.~+/=-]{16,4000}/g;

/** A password in a URL. */
const URL_PASSWORD = /(:\/\/[^\s/:@"]{1,100}:)[^\s/@"]{1,200}(?=@)/g;

/**
 * Keys by their form. Random text such as Base64 does not match: nothing may precede them, and all but the
 * fixed forms need a digit. Source: the services' documentation, and the patterns of secret scanners.
 */
const KEY = new RegExp(
  "(?<![\\w-])(?:" + [
    "(?:sk|rk|pk|ek|gsk|xai|hf|nvapi|pplx|ghp|gho|ghs|github_pat|glpat|xox[abp]|r8|fw|csk|tgp)[_-]" +
    "(?=[\\w-]{0,500}\\d)[\\w-]{20,500}",
    "AIza[\\w-]{35}",
    "A[KS]IA[A-Z0-9]{16}(?!\\w)",
    "eyJ[\\w-]{10,2000}\\.eyJ[\\w-]{10,9000}\\.[\\w-]{10,2000}",
  ].join("|") + ")",
  "g",
);

/** The end of the string that starts at `start`. A regular expression for all of a long one would overflow. */
function endOfString(json: string, start: number): number {
  STRING_END.lastIndex = start;
  for (let end = STRING_END.exec(json); end !== null; end = STRING_END.exec(json)) {
    if (end[0] === '"') return end.index;
  }
  return json.length;
}

/** JSON without the values of secret fields. */
function withoutSecretFields(json: string): string {
  const known = new Map<string, boolean>();
  const isSecret = (name: string) => {
    if (!known.has(name)) known.set(name, isSecretBodyField(name));
    return known.get(name)!;
  };
  let result = "";
  let end = 0;
  for (const match of json.matchAll(JSON_FIELD)) {
    const start = match.index + match[0].length;
    if (start <= end || json[start] === '"' || !isSecret(match[1])) continue;
    result += json.slice(end, start) + REDACTED;
    end = endOfString(json, start);
  }
  return result + json.slice(end);
}

/** A text without keys, as they are written in JSON, URLs and prompts. */
export function withoutKeys(text: string): string {
  return withoutSecretFields(text)
    .replace(
      QUERY_FIELD,
      (field, start, name) => isSecretField(name) ? `${start}${REDACTED}` : field,
    )
    .replace(URL_PASSWORD, `$1${REDACTED}`)
    .replace(KEY, REDACTED);
}

/** A multipart form without the values of secret fields. Everything else stays as it is. */
export function withoutFormKeys(form: string): string {
  return form.replace(
    FORM_PART,
    (part, start, name) => isSecretBodyField(name) ? `${start}${REDACTED}` : part,
  );
}

/** The fields of a query or form without those that hold keys. */
export function publicFields(fields: URLSearchParams): URLSearchParams {
  const kept = [...fields].filter(([name]) => !isSecretField(name))
    .map(([name, value]): [string, string] => [name, withoutKeys(value)]);
  return new URLSearchParams(kept);
}
