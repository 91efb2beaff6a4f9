/**
 * The text of a mock's answers.
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

/** About four characters, as English tokens are. */
const TOKEN = /[\s\S]{1,4}/g;

/** Cuts `text` into pieces of the size of a token. */
export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** How many tokens `text` counts for. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Sentences of `length` characters in all, beginning with the question that they answer. */
export function answerText(question: string, length: number, random: () => number): string {
  const quote = question.replace(/\s+/g, " ").trim();
  let text = `You asked: "${quote.length > 60 ? `${quote.slice(0, 57)}...` : quote}"`;
  while (text.length < length) {
    text += ` ${SENTENCES[Math.floor(random() * SENTENCES.length)]}`;
  }
  return text.slice(0, length).trimEnd().padEnd(length, ".");
}
