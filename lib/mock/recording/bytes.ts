/**
 * Converts bodies to text for recordings, and back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { RecordedBytes, RecordedChunk } from "./exchange.ts";

/** Bytes that arrived together. */
export interface TimedBytes {
  /** Milliseconds since the request was sent. */
  at: number;
  bytes: Uint8Array;
}

/** The UTF-8 text of `bytes`; `undefined` if it is not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text or Base64. */
export function encodeBytes(bytes: Uint8Array): RecordedBytes {
  const text = textOf(bytes);
  return text === undefined ? { base64: Buffer.from(bytes).toString("base64") } : { text };
}

/** The bytes of {@link encodeBytes}. */
export function decodeBytes({ text, base64 }: { text?: string; base64?: string }): Uint8Array {
  if (base64 !== undefined) return new Uint8Array(Buffer.from(base64, "base64"));
  return new TextEncoder().encode(text ?? "");
}

function merged(chunks: readonly TimedBytes[]): TimedBytes[] {
  const groups: { at: number; parts: Uint8Array[] }[] = [];
  for (const { at, bytes } of chunks) {
    const last = groups.at(-1);
    if (last?.at === at) last.parts.push(bytes);
    else groups.push({ at, parts: [bytes] });
  }
  return groups.map(({ at, parts }) => ({ at, bytes: new Uint8Array(Buffer.concat(parts)) }));
}

/**
 * Encodes a body. Chunks that arrived in the same millisecond become one, and a character that was split
 * between two chunks goes to the second.
 */
export function encodeChunks(chunks: readonly TimedBytes[]): RecordedChunk[] {
  const timed = merged(chunks);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    const texts = timed.map(({ at, bytes }) => ({
      at,
      text: decoder.decode(bytes, { stream: true }),
    }));
    // Throws if the body ends inside a character.
    decoder.decode();
    return texts.filter(({ text }) => text !== "");
  } catch {
    return timed.map(({ at, bytes }) => ({ at, base64: Buffer.from(bytes).toString("base64") }));
  }
}
