/** Reads saved conversations, and waits for a condition. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** The conversations saved in a home directory, the oldest first. */
export function conversations(home: TemporaryFolder): Conversation[] {
  const folder = join(home.path, ".flexllm", "conversations");
  return readdirSync(folder).filter((name) => name.endsWith(".json")).sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** Waits until a condition holds. Fails after a generous time. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 180_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
