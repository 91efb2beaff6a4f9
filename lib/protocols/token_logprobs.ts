/**
 * Decodes log probabilities of tokens in the forms that OpenAI-compatible servers use.
 *
 * Sources: OpenAI API reference, `choices[].logprobs` and Responses' `output_text.logprobs`; Together,
 * "Logprobs" (parallel arrays, as in the old Completions API).
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import { asObject, asObjects, type Json } from "../json/json.ts";

type Token = { token: string; logprob: number; bytes?: number[] | null };

function decodeToken({ token, logprob, bytes }: Json): Token | undefined {
  if (typeof token !== "string" || typeof logprob !== "number") return undefined;
  return Array.isArray(bytes) || bytes === null ? { token, logprob, bytes } : { token, logprob };
}

/** Decodes a list of tokens. */
export function decodeTokens(value: unknown): TokenLogprob[] {
  const tokens: TokenLogprob[] = [];
  for (const item of asObjects(value)) {
    const token: TokenLogprob | undefined = decodeToken(item);
    if (token === undefined) continue;
    const top = asObjects(item.top_logprobs).map(decodeToken).filter((each) => each !== undefined);
    if (top.length > 0) token.topLogprobs = top;
    tokens.push(token);
  }
  return tokens;
}

/** Decodes the `logprobs` of a choice; `undefined` if there are none. */
export function decodeLogprobs(value: unknown): TokenLogprob[] | undefined {
  const logprobs = asObject(value);
  if (logprobs === undefined) return undefined;
  const { tokens: names, token_logprobs: values } = logprobs;
  const tokens = Array.isArray(names) && Array.isArray(values)
    ? decodeTokens(names.map((token, i) => ({ token, logprob: values[i] })))
    : [...decodeTokens(logprobs.content), ...decodeTokens(logprobs.refusal)];
  return tokens.length > 0 ? tokens : undefined;
}
