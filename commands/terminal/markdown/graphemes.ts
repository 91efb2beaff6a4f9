/**
 * Splits text into the units that a line break must not divide.
 *
 * @module
 */

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Matches a newline, spaces, a keycap emoji, a run of Latin characters, or a run of others. */
const TOKENS = /\n| +|[#*0-9]\ufe0f?\u20e3|[!-\u02ff]+(?!\ufe0f?\u20e3)|[^\n -\u02ff\t]+|[^]/g;

/** The user-perceived characters of `text`. */
export function graphemes(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

/** Splits `text` into newlines, runs of spaces, runs of Latin characters, and single other characters. */
export function* wordParts(text: string): Generator<string> {
  for (const [token] of text.matchAll(TOKENS)) {
    if (token.charCodeAt(0) <= 0x2ff) yield token;
    else yield* graphemes(token);
  }
}

/** Characters of scripts without spaces between words. A line can break before and after them. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;
/** Closing punctuation and small kana. Source: JIS X 4051 and Unicode, UAX #14, classes CL, NS and EX. */
const NOT_AT_START =
  /^[、。，．：；？！」』】》〉）］｝〕〗〙”’…‥・ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々,.:;?!)\]}%]/;
/** Opening punctuation. Source: Unicode, UAX #14, class OP. */
const NOT_AT_END = /[「『【《〈（［｛〔〖〘“‘([{]$/;

/** Whether a line can break between two parts of a text that have no space between them. */
export function canBreakBetween(before: string, after: string): boolean {
  if (!WIDE.test(before) && !WIDE.test(after)) return false;
  return !NOT_AT_START.test(after) && !NOT_AT_END.test(before);
}

/** Longer sequences of combining characters are not kept together. */
const MAX_GRAPHEME = 64;

/**
 * Returns the number of characters at the end of `text` that may belong to a grapheme that is still
 * incomplete.
 */
export function incompleteLength(text: string): number {
  // Only these ASCII characters start an emoji, the keycaps.
  if (text === "" || /[\0-"$-)+-/:-~]$/.test(text)) return 0;
  return graphemes(text.slice(-MAX_GRAPHEME)).at(-1)!.length;
}
