/**
 * Corrects the errors of connections.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { globals } from "./globals.ts";

/** The reason why a connection failed: Bun reports a refused connection when no file descriptor is free. */
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
