/**
 * Creates and hashes the secrets of virtual keys.
 *
 * A fast hash is enough: a secret has 256 random bits, which cannot be guessed.
 *
 * @module
 */
import { hash, randomBytes } from "node:crypto";

/** The beginning of every secret, by which scanners of leaked secrets can recognize them. */
const PREFIX = "sk-flexllm-";

/** How much of a secret is stored for recognition. */
const SHOWN = PREFIX.length + 4;

/** A new secret. */
export function createSecret(): string {
  return PREFIX + randomBytes(32).toString("base64url");
}

/** The beginning of a secret that may be shown. */
export function shownPrefix(secret: string): string {
  return secret.slice(0, SHOWN);
}

/** SHA-256 of a secret, in hexadecimal. */
export function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}
