/**
 * Sentences in lines that end between words.
 *
 * @module
 */
import stringWidth from "fast-string-truncated-width";
import process from "node:process";

/** The columns of the terminal that the person looks at; 80 when there is none. */
export function screenWidth(): number {
  return [process.stderr, process.stdout].find(({ isTTY }) => isTTY)?.columns || 80;
}

/** The lines of a sentence in a few columns; a word that is longer has a line of its own. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? undefined : `${lines.at(-1)} ${word}`;
    if (longer === undefined || stringWidth(longer).width > columns) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
