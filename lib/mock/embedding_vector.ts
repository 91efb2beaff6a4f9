/**
 * Makes the mock's embeddings: equal texts have equal vectors, and similar texts have similar ones.
 *
 * @module
 */
import { seededRandom, seedOf } from "../runtime/random.ts";

/** How many numbers of the vector one feature changes. */
const SPREAD = 16;
/** The share of a vector that depends on the exact text. */
const NOISE = 0.1;
const MAX_FEATURES = 20_000;

const WORD = /[\p{L}\p{N}]+/gu;

/** The words of a text and their parts of three characters, so that "cat" and "cats" share some. */
function* featuresOf(text: string): Generator<[feature: string, weight: number]> {
  for (const [word] of text.normalize("NFKC").toLowerCase().matchAll(WORD)) {
    yield [word, 1];
    const characters = [...`<${word}>`];
    for (let i = 0; i + 3 <= characters.length; i++) {
      yield [characters.slice(i, i + 3).join(""), 0.5];
    }
  }
}

function lengthOf(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, number) => sum + number * number, 0));
}

/** A vector of length 1 with `dimensions` numbers, in single precision. */
export function embeddingOf(text: string, dimensions: number, seed: number): Float32Array {
  const vector = new Float64Array(dimensions);
  let count = 0;
  for (const [feature, weight] of featuresOf(text)) {
    if (count++ === MAX_FEATURES) break;
    const random = seededRandom(seedOf(feature, seed));
    for (let i = 0; i < SPREAD; i++) {
      const position = Math.floor(random() * dimensions);
      vector[position] += random() < 0.5 ? -weight : weight;
    }
  }
  const features = lengthOf(vector) || 1;
  // Texts without words, such as "?!", differ by this alone.
  const random = seededRandom(seedOf(text, seed));
  const scale = NOISE * features * Math.sqrt(3 / dimensions);
  for (let i = 0; i < dimensions; i++) vector[i] += (random() * 2 - 1) * scale;
  const length = lengthOf(vector);
  return Float32Array.from(vector, (number) => number / length);
}
