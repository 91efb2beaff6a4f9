/**
 * Decodes the log probabilities of a Gemini answer.
 *
 * Source: Gemini API reference, "LogprobsResult": one chosen candidate and one list of top candidates
 * for each step; protobuf's JSON omits a probability of 0 and an empty token.
 *
 * @module
 */
import type { TokenLogprob } from "../../chat/result.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../../json/json.ts";

function decodeToken(candidate: Json): { token: string; logprob: number } {
  return { token: asText(candidate.token) ?? "", logprob: asNumber(candidate.logProbability) ?? 0 };
}

/** Decodes `logprobsResult`; empty if there is none. */
export function decodeLogprobs(value: unknown): TokenLogprob[] {
  const result = asObject(value);
  if (result === undefined) return [];
  const top = asObjects(result.topCandidates);
  return asObjects(result.chosenCandidates).map((chosen, step) => {
    const candidates = asObjects(top[step]?.candidates);
    const token: TokenLogprob = decodeToken(chosen);
    if (candidates.length > 0) token.topLogprobs = candidates.map(decodeToken);
    return token;
  });
}
