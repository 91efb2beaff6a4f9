/**
 * Finds the keys that this user has, so that a report contains none of them, whatever a server repeated.
 *
 * @module
 */
import process from "node:process";
import { expandReferences } from "../../lib/config/references.ts";
import type { ConfigValue } from "../../lib/config/schema.ts";
import type { Environment } from "../../lib/files/paths.ts";
import { listKeys, readKey } from "../../lib/keys/key_store.ts";
import { secretsOf } from "../../lib/redact.ts";
import { readConfigSilently } from "../read_config.ts";

/** The names of environment variables that hold a key. */
const SECRET = /(?:API_?KEY|_TOKEN|_SECRET)$/i;
/** Shorter values are placeholders. */
const SHORTEST = 8;

/** The password in a URL, as it is written there and decoded. */
function passwordsIn(url: string): string[] {
  const password = URL.parse(url)?.password ?? "";
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** The keys in a configuration, with the values of the variables that it refers to. */
export function secretsIn(config: ConfigValue, env: Environment): string[] {
  const { models, batch, serve, redis, cache } = config;
  const servers = [...models ?? [], ...batch?.endpoints ?? []];
  const keys = servers.flatMap(({ api_key: apiKey, headers = {}, base_url: baseUrl }) => [
    ...secretsOf({ apiKey, headers, baseUrl }),
    ...passwordsIn(baseUrl ?? ""),
  ]);
  const urls = [
    typeof redis === "string" ? redis : redis?.url,
    typeof cache === "object" ? cache?.path : undefined,
  ].filter((url) => typeof url === "string");
  return [...keys, serve?.admin_key ?? "", ...urls.flatMap(passwordsIn)]
    .map((text) => expandReferences(text, env));
}

/** The keys in the key file. Those in a keychain are left out, since it may ask for a password. */
function storedKeys(env: Environment): string[] {
  try {
    return listKeys(env).filter(({ store }) => store === "file")
      .map(({ name }) => readKey(env, name) ?? "");
  } catch {
    return [];
  }
}

function configuredKeys(file: string | undefined, env: Environment): string[] {
  try {
    return secretsIn(readConfigSilently(file).value, env);
  } catch (error) {
    // Only a file that the user names has to be readable.
    if (file !== undefined) throw error;
    return [];
  }
}

/**
 * The keys in the environment, in the configuration and in the key file, the longest first.
 *
 * @param config the value of `--config`
 * @param used further keys, such as those that a batch has used
 * @throws {ConfigurationError} if the file of `--config` cannot be read or is invalid
 */
export function knownSecrets(config?: string, used: readonly string[] = []): string[] {
  const { env } = process;
  const variables = Object.entries(env)
    .flatMap(([name, value]) => SECRET.test(name) && value !== undefined ? [value] : []);
  const secrets = [...used, ...variables, ...configuredKeys(config, env), ...storedKeys(env)];
  // A key that contains another one is replaced as a whole.
  return [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
}
