/**
 * Counts tokens exactly, for OpenAI's newer models; loaded when first needed, since its tables take a
 * third of a second.
 *
 * @module
 */

/** The encoding that is counted with. */
export const ENCODING = "o200k_base";

/** Whether `model` is counted exactly: models of others have encodings of their own. */
export function isExact(model: string): boolean {
  return /^(openai\/)?(gpt-4o|gpt-4\.\d|gpt-[5-9]|gpt-oss|chatgpt-4o|o[1-9])/.test(model);
}

/** Characters without a blank, or only blanks, that may be one word to the tokenizer. */
const LONG_RUN = /\S{400}|\s{400}/;
const PIECE = /[^]{1,400}/gu;

/**
 * Gets the counter ready. A run of hundreds of characters without a blank is counted in pieces, since
 * the time for one word grows with the square of its length; each cut adds at most a token.
 */
export async function loadTokenizer(): Promise<(text: string) => number> {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  // A text that looks like a control token is still a text.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => {
    if (!LONG_RUN.test(text)) return countTokens(text, options);
    return (text.match(PIECE) ?? []).reduce((sum, piece) => sum + countTokens(piece, options), 0);
  };
}
