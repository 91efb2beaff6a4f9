/**
 * Writes notes and warnings that are wrapped to the width of the terminal. Apart from output.ts, since measuring
 * text loads a package, which `flexllm version` does without.
 *
 * @module
 */
import process from "node:process";
import { hintLines } from "./hint_lines.ts";
import { warning, writeNote } from "./output.ts";
import { widthOfStream } from "./wrap.ts";

/**
 * Writes sentences to stderr, wrapped to the width of the terminal, but not the commands in them. `write`
 * replaces {@link writeNote} where notes go elsewhere or are silenced.
 */
export function writeSentences(text: string, write: (line: string) => void = writeNote): void {
  for (const line of hintLines(text, widthOfStream(process.stderr))) write(line);
}

/** Writes a warning like {@link writeSentences}. */
export function writeWarning(text: string, write: (line: string) => void = writeNote): void {
  writeSentences(warning(text), write);
}
