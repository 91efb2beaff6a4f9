/**
 * Lua scripts that run on the server, in one step.
 *
 * @module
 */
import { hash } from "node:crypto";

/** A script; the server keeps it by its hash, until it is restarted. */
export class RedisScript {
  /** SHA-1, by which the server knows it. */
  readonly sha: string;

  /** @param source Lua; `KEYS` and `ARGV` are its parameters */
  constructor(readonly source: string) {
    this.sha = hash("sha1", source);
  }
}
