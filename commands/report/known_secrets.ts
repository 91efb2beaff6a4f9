/**
 * Finds the keys that this user has, so that a report contains none of them, whatever a server repeated.
 *
 * @module
 */
import process from "node:process";
import { readConfigSilently } from "../read_config.ts";

/** The names of environment variables that hold a key. */
const SECRET = /(?:API_?KEY|_TOKEN|_SECRET)$/i;
/** Shorter values are placeholders. */
const SHORTEST = 8;

/** The keys in the configuration; none if it cannot be read. */
function configuredKeys(): string[] {
  try {
    const models = readConfigSilently(undefined).value.models ?? [];
    return models.flatMap(({ api_key: key }) => key === undefined ? [] : [key]);
  } catch {
    return [];
  }
}

/** The keys in the environment and in the configuration. */
export function knownSecrets(): string[] {
  const variables = Object.entries(process.env)
    .flatMap(([name, value]) => SECRET.test(name) && value !== undefined ? [value] : []);
  const secrets = [...variables, ...configuredKeys()];
  return [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST);
}
