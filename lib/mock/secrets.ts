/**
 * Recognizes names of headers and fields that hold keys, for what the mock logs and records.
 *
 * @module
 */

/** A word that makes any name secret. */
const SECRET_WORD =
  /^(authorization|credentials?|cookies?|jwt|bearer|passphrase|passwd|pwd|\w*password|\w*secret|(api|access|auth|private|secret|subscription)key|(access|refresh|id|auth|api|session|security|bearer)token)$/;

/** Pairs of words that do. Source: the names that cloud providers use, such as `AWSAccessKeyId`. */
const SECRET_PAIR =
  /\b(api|access|auth|private|secret|signing|subscription|encryption|master|license|shared|service|client) key\b|\b(access|refresh|id|auth|authorization|api|session|security|bearer|bot|oauth|user|client) token\b/;

/** More names of query fields: signed URLs, and the keys of Azure Functions. */
const SECRET_IN_QUERY = /\b(auth|sig|signature)\b|^(pass|sas|code)$/;

/** Words before `key` and `token` that make them something else: replays must tell pages and orders apart. */
const PUBLIC =
  /\b(page|next|prev|previous|continuation|continue|cursor|start|end|first|last|sync|resume|change|marker|range|sort|order|partition|primary|foreign|cache|group|row|object|search|filter|index|public|stop|max|min)$/;

/** The words of a name in lowercase: `X-API-Key` and `xApiKey` are both "x api key". */
function wordsOf(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/).filter((word) => word !== "").join(" ").toLowerCase();
}

function isSecretIn(words: string): boolean {
  return words.split(" ").some((word) => SECRET_WORD.test(word)) || SECRET_PAIR.test(words);
}

/** Whether a query field of this name may hold a key. */
export function isSecretField(name: string): boolean {
  const words = wordsOf(name);
  if (isSecretIn(words) || SECRET_IN_QUERY.test(words)) return true;
  const kind = /^(.*?) ?\b(key|token)$/.exec(words);
  return kind !== null && !PUBLIC.test(kind[1]);
}

/**
 * Whether the field of this name in a JSON body or form holds a key. Unlike in a query, `key`, `token` and
 * `signature` are ordinary there: in filters, log probabilities and signed thinking.
 */
export function isSecretBodyField(name: string): boolean {
  return isSecretIn(wordsOf(name));
}

/** Whether the header of this name may hold a key. */
export function isSecretHeader(name: string): boolean {
  return /auth|key|token(?!s)|secret|pass|cookie|credential|jwt|signature|session|bearer/i.test(
    name,
  );
}

/** The path and query of a URL, with the values of keys replaced. */
export function shownPath({ pathname, search, searchParams }: URL): string {
  const names = new Set([...searchParams.keys()].filter(isSecretField));
  if (names.size === 0) return `${pathname}${search}`;
  const shown = new URLSearchParams(searchParams);
  for (const name of names) shown.set(name, "removed");
  return `${pathname}?${shown}`;
}
