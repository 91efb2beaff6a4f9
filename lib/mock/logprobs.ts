/**
 * Generates log probabilities for the mock's answers.
 *
 * @module
 */
import type { TokenLogprob } from "../chat/result.ts";
import { tokenize } from "./text.ts";

const encoder = new TextEncoder();

/** Tokens to list as alternatives, most likely first. */
const ALTERNATIVES = [" the", " a", " and", " of", " to", " in", " is", " it", " on", " as"];

function withTop({ token, logprob, bytes, topLogprobs }: TokenLogprob, top: number): TokenLogprob {
  const others = ALTERNATIVES.filter((other) => other !== token).map((other, i) => ({
    token: other,
    logprob: logprob - 1 - i,
  }));
  const listed: TokenLogprob[] = topLogprobs ?? [{ token, logprob }, ...others];
  return {
    token,
    logprob,
    bytes: bytes ?? [...encoder.encode(token)],
    topLogprobs: listed.slice(0, top).map((one) => ({
      ...one,
      bytes: one.bytes ?? [...encoder.encode(one.token)],
    })),
  };
}

/** The log probabilities of `text`: `given` or generated ones, with `top` alternatives each. */
export function logprobsOf(
  text: string,
  given: readonly TokenLogprob[] | undefined,
  top: number,
): TokenLogprob[] {
  const tokens = given ?? tokenize(text).map((token, i) => ({ token, logprob: -(i % 8 + 1) / 16 }));
  return tokens.map((token) => withTop(token, top));
}

/** Splits a text into the pieces of a stream, each with its log probabilities. */
export function textPieces(
  text: string,
  logprobs: readonly TokenLogprob[] | undefined,
): { text: string; logprobs: TokenLogprob[] }[] {
  const pieces = tokenize(text);
  if (logprobs === undefined) return pieces.map((piece) => ({ text: piece, logprobs: [] }));
  if (logprobs.map(({ token }) => token).join("") === text) {
    return logprobs.map((one) => ({ text: one.token, logprobs: [one] }));
  }
  // If the given tokens don't add up to the text, pair them in order; the last piece gets the rest.
  return pieces.map((piece, i) => ({
    text: piece,
    logprobs: i === pieces.length - 1 ? logprobs.slice(i) : logprobs.slice(i, i + 1),
  }));
}
