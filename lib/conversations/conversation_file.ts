/**
 * Reads and writes one conversation as a file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import { messagesProblem } from "../chat/messages.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, asText } from "../json/json.ts";
import type { Conversation } from "./conversation.ts";
import { fileReason } from "../files/reasons.ts";

function problemOf(value: unknown): string | undefined {
  const conversation = asObject(value);
  if (conversation === undefined) return "expected a JSON object";
  const { version, id, model, turns } = conversation;
  if (version !== 1) return `version: expected 1, got ${JSON.stringify(version)}`;
  if (asText(id) === undefined) return "id: expected a text";
  if (asText(model) === undefined) return "model: expected a text";
  if (!Array.isArray(turns)) return "turns: expected a list";
  for (const [i, turn] of turns.entries()) {
    const { user, assistant } = asObject(turn) ?? {};
    const problem = messagesProblem(assistant === undefined ? [user] : [user, assistant]);
    if (problem !== undefined) return `turns[${i}]: ${problem}`;
  }
  return undefined;
}

/**
 * Reads the conversation in the file at `path`.
 *
 * @throws {InvalidInputError} when it cannot be read or is no conversation
 */
export function readConversation(path: string): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new InvalidInputError(`cannot read the conversation ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "See which there are with `flexllm chat --list`.",
    });
  }
  const problem = problemOf(value);
  if (problem === undefined) return value as Conversation;
  throw new InvalidInputError(`${path} is not a conversation: ${problem}`, {
    hint: "Mend or remove that file; the others can be gone on with.",
  });
}

/**
 * Writes `text` to the file at `path`, which only its owner can read. Whatever happens, the file holds
 * the old text or the new one.
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const fd = openSync(temporary, "w", 0o600);
    try {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
