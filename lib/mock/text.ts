/**
 * Generates the text of the mock's answers, and counts tokens.
 *
 * @module
 */

const SENTENCES = [
  "This answer was written by the mock server.",
  "No model was asked, and nothing was paid.",
  "A language model predicts the next token from the ones before it.",
  "Good tests look at what a program does, not at how it does it.",
  "A queue turns a burst of work into a steady stream.",
  "Retries without jitter arrive together, as a second burst.",
  "What is written to the disk before it is counted cannot be lost.",
  "A cache is only as good as its key.",
  "Tokens are pieces of words, about four characters each in English.",
  "A timeout is a promise to the user that the program will say something.",
  "Latency hides behind concurrency until the server is full.",
  "Small functions with honest names need few comments.",
  "Backpressure means that a fast producer waits for a slow consumer.",
  "The shortest path through the code is often the fastest one.",
  "An error message should say what to do next.",
  "Every number without a unit is a question.",
];

/** A token has four characters, the average of English text. */
const TOKEN = /[\s\S]{1,4}/g;

/** Splits `text` into tokens. */
export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** The number of tokens in `text`. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Text of exactly `length` characters that starts with a quote of the prompt. */
export function answerText(prompt: string, length: number, random: () => number): string {
  const quote = prompt.replace(/\s+/g, " ").trim();
  let text = `You asked: "${quote.length > 60 ? `${quote.slice(0, 57)}...` : quote}"`;
  while (text.length < length) {
    text += ` ${SENTENCES[Math.floor(random() * SENTENCES.length)]}`;
  }
  return text.slice(0, length).trimEnd().padEnd(length, ".");
}
