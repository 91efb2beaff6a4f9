/**
 * Loads the runtime's SQLite. It is loaded on demand, since most commands need no file.
 *
 * @module
 */
import { isBuiltin } from "node:module";
import type { DatabaseSync } from "node:sqlite";
import { ConfigurationError } from "../errors.ts";
import { runtimeName } from "./runtime.ts";

/**
 * Loads the constructor of databases.
 *
 * @throws {ConfigurationError} if the runtime is too old to have it
 */
export async function loadSqlite(isAvailable = isBuiltin): Promise<typeof DatabaseSync> {
  if (!isAvailable("node:sqlite")) {
    throw new ConfigurationError(`${runtimeName()} has no SQLite`, {
      hint: "Result files, chats and the cache need Node 22.13, Bun 1.4, or a later version.",
    });
  }
  return (await import("node:sqlite")).DatabaseSync;
}
