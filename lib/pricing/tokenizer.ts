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
  return /^(gpt-4o|gpt-4\.\d|gpt-[5-9]|gpt-oss|chatgpt-4o|o[1-9])/.test(model);
}

/** Gets the counter ready. */
export async function loadTokenizer(): Promise<(text: string) => number> {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  // A text that looks like a control token is still a text.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => countTokens(text, options);
}
