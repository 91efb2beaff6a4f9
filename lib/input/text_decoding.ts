/**
 * Decodes the text of files and web pages: UTF-8, UTF-16 with a byte order mark, or a declared charset.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";

/** Decodes with an encoding of the Encoding Standard; `undefined` if it is unknown or does not fit. */
function decodeAs(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The encoding of a byte order mark of UTF-16. */
function utf16Mark(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

/**
 * The text of `bytes`, without a byte order mark; `undefined` if it is binary or in an encoding that
 * cannot be distinguished from others.
 *
 * @param charset the declared encoding, which applies unless the text is valid UTF-8
 */
export function decodeText(bytes: Uint8Array, charset?: string): string | undefined {
  const mark = utf16Mark(bytes);
  if (mark !== undefined) return decodeAs(bytes, mark);
  if (isUtf8(bytes)) {
    if (bytes.includes(0)) return undefined;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")
      .replace(/^\ufeff/, "");
  }
  return charset === undefined ? undefined : decodeAs(bytes, charset);
}

/** Bytes that are examined to guess an encoding. */
const SAMPLE = 4096;

/** The name under which `iconv` knows the likely encoding of text that is not UTF-8; `undefined` for binary data. */
export function likelyEncoding(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, SAMPLE);
  const zeros = { even: 0, odd: 0 };
  let control = 0;
  for (const [i, byte] of sample.entries()) {
    if (byte === 0) zeros[i % 2 === 0 ? "even" : "odd"]++;
    else if (byte < 32 && ![9, 10, 12, 13, 27].includes(byte)) control++;
  }
  if (control > sample.length / 100) return undefined;
  const half = sample.length / 2;
  if (zeros.odd > half * 0.7 && zeros.even < half * 0.1) return "utf-16le";
  if (zeros.even > half * 0.7 && zeros.odd < half * 0.1) return "utf-16be";
  return zeros.even + zeros.odd === 0 ? "latin1" : undefined;
}
