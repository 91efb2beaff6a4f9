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
import { withProviderMessage } from "../chat/normalize.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, asText } from "../json/json.ts";
import type { Conversation } from "./conversation.ts";
import { fileReason } from "../files/reasons.ts";

function conversationProblem(value: unknown): string | undefined {
  const conversation = asObject(value);
  if (conversation === undefined) return "expected a JSON object";
  const { version, id, model, turns } = conversation;
  if (version !== 1) return `version: expected 1, got ${JSON.stringify(version)}`;
  if (asText(id) === undefined) return "id: expected a string";
  if (asText(model) === undefined) return "model: expected a string";
  if (!Array.isArray(turns)) return "turns: expected an array";
  for (const [i, turn] of turns.entries()) {
    const { user, assistant } = asObject(turn) ?? {};
    const problem = messagesProblem(assistant === undefined ? [user] : [user, assistant]);
    if (problem !== undefined) return `turns[${i}]: ${problem}`;
  }
  return undefined;
}

/**
 * Reads the conversation in the file at `path`, including files of version 0.1.
 *
 * @throws {InvalidInputError} if the file cannot be read or is not a conversation
 */
export function readConversation(path: string): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new InvalidInputError(`cannot read the conversation ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "List the conversations with `flexllm chat --list`.",
    });
  }
  const problem = conversationProblem(value);
  if (problem !== undefined) {
    throw new InvalidInputError(`${path} is not a conversation: ${problem}`, {
      hint: "Fix or delete that file; other conversations still work.",
    });
  }
  const conversation = value as Conversation;
  for (const turn of conversation.turns) {
    if (turn.assistant !== undefined) turn.assistant = withProviderMessage(turn.assistant);
  }
  return conversation;
}

/**
 * Writes `text` to the file at `path`, readable by its owner only. If writing fails, the old file is still
 * complete.
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
