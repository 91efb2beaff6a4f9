/**
 * Generates unique random names.
 *
 * @module
 */

const CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Larger bytes would make some characters more likely than others. */
const MAX_BYTE = 256 - 256 % CHARACTERS.length;

/** `length` lower-case letters and digits from the system's secure randomness. */
export function randomName(length: number): string {
  let name = "";
  while (name.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length - name.length))) {
      if (byte < MAX_BYTE) name += CHARACTERS[byte % CHARACTERS.length];
    }
  }
  return name;
}
