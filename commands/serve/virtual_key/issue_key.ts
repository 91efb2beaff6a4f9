/**
 * Creates virtual keys and rotates their secrets. The secret is the only output on stdout.
 *
 * @module
 */
import { duration } from "../../terminal/format.ts";
import { writeOutput } from "../../terminal/output.ts";
import { writeSentences, writeWarning } from "../../terminal/sentences.ts";
import { describeLimits } from "./describe_key.ts";
import { type KeyCommandFlags, settingsOf } from "./key_flags.ts";
import { unknownNames } from "./known_names.ts";
import { withKeys } from "./open_keys.ts";

/**
 * Creates a key and prints its secret.
 *
 * @throws {ConfigurationError} if the name is taken or the database cannot be written
 */
export async function createKey(name: string, flags: KeyCommandFlags): Promise<void> {
  await withKeys(flags, async (store, config) => {
    const isFirst = store.list().length === 0;
    const settings = settingsOf(flags);
    for (const warning of unknownNames(config, settings)) writeWarning(warning);
    const { key, secret } = await store.create(name, settings);
    const limits = describeLimits(key);
    writeSentences(
      `Created the key ${key.name}${limits === "" ? ", without limits" : `: ${limits}`}. ` +
        "The key is shown only now:",
    );
    writeOutput(`${secret}\n`);
    if (isFirst) writeSentences("It is the first one: from now on, the gateway requires a key.");
  });
}

/**
 * Gives a key a new secret and prints it.
 *
 * @throws {ConfigurationError} if there is no such key
 */
export async function rotateKey(name: string, flags: KeyCommandFlags): Promise<void> {
  await withKeys(flags, async (store) => {
    const { grace = 0 } = flags;
    const { key, secret } = await store.rotate(name, grace);
    const old = grace === 0
      ? "The old secret is refused"
      : `The old one works for ${duration(grace)}`;
    writeSentences(`Rotated the key ${key.name}. ${old}. The new one is shown only now:`);
    writeOutput(`${secret}\n`);
  });
}
