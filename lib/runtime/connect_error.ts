/**
 * Corrects the errors of connections.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { globals } from "./globals.ts";

/** Returns the reason for an error of a new connection: without a free file, Bun says that it is refused. */
export function connectError(error: unknown): unknown {
  const isRefused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  if (globals.Bun === undefined || !isRefused) return error;
  try {
    closeSync(openSync(devNull, "r"));
    return error;
  } catch (reason) {
    return reason;
  }
}
