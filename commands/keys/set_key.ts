/**
 * Implements `flexllm keys set`, which stores a key that is typed or piped in.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import process from "node:process";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { isKeyName, keyProblem, looksLikeKey } from "../../lib/keys/check_key.ts";
import { keyFilePath, type StoreName } from "../../lib/keys/key_file.ts";
import { canonicalKeyName, keyedService, keyedServices } from "../../lib/keys/key_names.ts";
import { keychainOf, storeKey } from "../../lib/keys/key_store.ts";
import { keyReference } from "../../lib/config/references.ts";
import { maskKey, shownUrl } from "../../lib/redact.ts";
import { writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";

/**
 * Checks the name of a key.
 *
 * @throws {ConfigurationError} if it cannot name a key, or probably is one
 */
export function checkName(given: string): string {
  if (looksLikeKey(given)) {
    throw new ConfigurationError("expected a name, got what looks like a key", {
      hint:
        "Run `flexllm keys set NAME` and enter the key when prompted. As an argument it is now in " +
        "the history of your shell: remove it there.",
    });
  }
  const service = keyedServices().find(({ variable }) => variable === given.toUpperCase());
  if (service !== undefined) {
    throw new ConfigurationError(`${service.variable} is a variable of ${service.name}`, {
      hint: `Use the name of the service: flexllm keys set ${service.name}`,
    });
  }
  const name = canonicalKeyName(given);
  if (isKeyName(name)) return name;
  throw new ConfigurationError(`"${given}" cannot be the name of a key`, {
    hint: "Expected letters, digits, dots, dashes and underscores, such as openai or work.",
  });
}

async function readPiped(name: string): Promise<string> {
  const { text } = await import("node:stream/consumers");
  const key = (await text(process.stdin)).trim();
  const problem = keyProblem(key);
  if (problem === undefined) return key;
  throw new InvalidInputError(`the key on stdin cannot be stored. ${problem}`, {
    hint: `Pipe only the key, for example: flexllm keys set ${name} < key.txt`,
  });
}

async function readTyped(name: string): Promise<string> {
  const { promptSecret, requireTerminal } = await import("../terminal/prompts.ts");
  requireTerminal("flexllm keys set", `Pipe the key in: flexllm keys set ${name} < key.txt`);
  return await promptSecret(`Key of ${name}? (not shown)`, keyProblem);
}

/** Explains what a key is used for. */
function noteUse(name: string): void {
  const service = keyedService(name);
  if (service === undefined) {
    writeSentences(`Use it in the configuration: api_key: "${keyReference(name)}"`);
    const names = keyedServices().map((each) => each.name);
    const similar = closest(name, names);
    if (distance(name, similar) <= 2) {
      writeWarning(`${name} is not a known service; did you mean ${similar}?`);
    }
    return;
  }
  const { baseUrl, variable } = service;
  const server = baseUrl === undefined ? "your own server there" : shownUrl(baseUrl);
  writeSentences(`It is used for ${name} (${server}) if no other key is given.`);
  const given = ["FLEXLLM_API_KEY", variable].find((each) => process.env[each]);
  if (given !== undefined) writeWarning(`${given} is set and takes precedence`);
}

/**
 * Stores a key.
 *
 * @param extra further arguments, of which there should be none
 * @param store where; by default the keychain, if there is one that works
 * @throws {ConfigurationError} if the name is invalid or the key cannot be stored
 * @throws {InvalidInputError} if the key is malformed
 */
export async function setKey(
  given: string,
  extra: readonly string[],
  store: StoreName | undefined,
): Promise<void> {
  const name = checkName(given);
  if (extra.length > 0) {
    throw new ConfigurationError("a key cannot be passed as an argument", {
      hint:
        `Run \`flexllm keys set ${name}\` and enter the key when prompted, or pipe it in. As an ` +
        "argument it is now in the history of your shell: remove it there.",
    });
  }
  const { env } = process;
  const key = process.stdin.isTTY ? await readTyped(name) : await readPiped(name);
  const { store: place, replaced, keychainError } = await storeKey(env, name, key, store);
  if (keychainError !== undefined) {
    writeWarning(`${keychainError.message}; the key is stored in a file instead`);
  }
  const where = place === "keychain" ? keychainOf(env)!.title : keyFilePath(env);
  const verb = replaced ? "Replaced" : "Stored";
  writeOutput(`${verb} the key of ${name} (${maskKey(key)}) in ${where}\n`);
  noteUse(name);
}
