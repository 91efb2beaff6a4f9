/**
 * Recognizes the attribution line that Claude Code 2.1 puts first into its system prompt, for Anthropic's accounting.
 * It changes with each version, so neither cache keys nor sessions nor the prompts of other providers may contain it.
 *
 * @module
 */
const START = "x-anthropic-billing-header:";

/** Whether a text of a system prompt is the attribution line. */
export function isAttribution(text: string): boolean {
  return text.startsWith(START);
}
