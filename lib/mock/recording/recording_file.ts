/**
 * Reads recordings and appends to them.
 *
 * @module
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { ConfigurationError, InvalidInputError } from "../../errors.ts";
import { fileReason, writeReason } from "../../files/reasons.ts";
import { isJson } from "../../json/json.ts";
import { type Exchange, type LocatedExchange, parseRecording } from "./exchange.ts";
import { writeAll } from "../../files/write_all.ts";

/**
 * Reads a recording.
 *
 * @throws {InvalidInputError} if it cannot be read, is empty or contains a mistake
 */
export function readRecording(file: string): LocatedExchange[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`cannot read ${file}: ${fileReason(cause)}`, {
      cause,
      hint: `Make a recording first: flexllm mock --record https://api.openai.com/v1 ${file}`,
    });
  }
  const exchanges = parseRecording(file, text);
  if (exchanges.length === 0) {
    throw new InvalidInputError(`${file} contains no exchanges`, {
      hint: `Record some: flexllm mock --record https://api.openai.com/v1 ${file}`,
    });
  }
  return exchanges;
}

/** The recording that a recorder appends to; empty if the file does not exist yet. */
function readExisting(file: string): { text: string; exchanges: LocatedExchange[] } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { text: "", exchanges: [] };
    throw cannotWrite(file, cause);
  }
  try {
    return { text, exchanges: parseRecording(file, text) };
  } catch (cause) {
    throw new ConfigurationError(`${file} exists and is not a recording`, {
      cause,
      hint: `Choose another file. (${cause instanceof Error ? cause.message : cause})`,
    });
  }
}

function cannotWrite(file: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(`cannot write ${file}: ${writeReason(cause)}`, {
    cause,
    hint: "Choose a file that can be written.",
  });
}

/** A recording that exchanges are appended to. */
export class RecordingFile {
  readonly #file: string;
  readonly #descriptor: number;
  /** Whether it was empty, and nothing was written yet. */
  #isNew = false;
  /** The exchanges that it already had. */
  readonly existing: readonly LocatedExchange[];

  /**
   * Opens a recording, and creates it and its folder if they don't exist.
   *
   * @throws {ConfigurationError} if it cannot be written or is another kind of file
   */
  constructor(file: string) {
    this.#file = file;
    const { text, exchanges } = readExisting(file);
    this.existing = exchanges;
    this.#isNew = text === "";
    try {
      mkdirSync(dirname(file), { recursive: true });
      this.#descriptor = openSync(file, "a");
      const start = text.lastIndexOf("\n") + 1;
      const last = text.slice(start);
      // Left by a recorder that was killed while it wrote.
      if (last !== "" && !isJson(last)) truncateSync(file, Buffer.byteLength(text.slice(0, start)));
      else if (last !== "") writeSync(this.#descriptor, "\n");
    } catch (cause) {
      throw cannotWrite(file, cause);
    }
  }

  /**
   * Appends an exchange in one write, so that several recorders can share a file.
   *
   * @throws {ConfigurationError} if it cannot be written
   */
  append(exchange: Exchange): void {
    const bytes = Buffer.from(`${JSON.stringify(exchange)}\n`);
    try {
      writeAll(this.#descriptor, bytes);
      this.#isNew = false;
    } catch (cause) {
      throw cannotWrite(this.#file, cause);
    }
  }

  /** Closes the file, and removes it if it is empty: a replay could not use it. */
  close(): void {
    closeSync(this.#descriptor);
    if (this.#isNew && statSync(this.#file, { throwIfNoEntry: false })?.size === 0) {
      rmSync(this.#file, { force: true });
    }
  }
}
