/**
 * Stores keys in the login keychain of macOS, with `security`.
 *
 * Source: the manual page security(1), and its exit codes, which are the low byte of OSStatus values:
 * errSecItemNotFound is 44, errSecInteractionNotAllowed 36, errSecAuthFailed 51, userCanceledErr 128.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Keychain } from "./keychain.ts";
import { type CommandResult, runKeychainCommand, shellCommand } from "./keychain_command.ts";

const TITLE = "the macOS keychain";
const NOT_FOUND = 44;
const LOCKED = [36, 51, 128];
/** `security -i` reads lines of at most this many bytes. */
const MAX_LINE = 4096;
const UNLOCK = "Unlock it with `security unlock-keychain`, or store the key in a file: " +
  "flexllm keys set NAME --store file";

/** A word that `security -i` reads as it is. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

function toError({ status, stderr }: CommandResult): ConfigurationError {
  if (LOCKED.includes(status)) {
    return new ConfigurationError(`${TITLE} is locked`, { hint: UNLOCK });
  }
  const reason = stderr.trim().split("\n").at(-1) || `security exited with code ${status}`;
  return new ConfigurationError(`cannot use ${TITLE}: ${reason}`, { hint: UNLOCK });
}

/** The line for `security -i` that stores a key. */
export function storingLine(service: string, name: string, key: string): string {
  const words = ["-U", "-s", service, "-a", name, "-l", `flexllm: ${name}`, "-w", key];
  return `add-generic-password ${words.map(quoted).join(" ")}\n`;
}

/** The login keychain. */
export function macosKeychain(service: string): Keychain {
  const run = (args: readonly string[], input?: string): CommandResult =>
    runKeychainCommand({
      ...shellCommand('exec /usr/bin/security "$@"', args),
      input,
      title: TITLE,
      hint: UNLOCK,
    });
  return {
    title: TITLE,
    read(name) {
      const result = run(["find-generic-password", "-s", service, "-a", name, "-w"]);
      if (result.status === 0) return result.stdout.replace(/\n$/, "");
      if (result.status === NOT_FOUND) return undefined;
      throw toError(result);
    },
    write(name, key) {
      const line = storingLine(service, name, key);
      if (line.length > MAX_LINE) {
        throw new ConfigurationError(`the key is too long for ${TITLE}`, {
          hint: `Store it in a file: flexllm keys set ${name} --store file`,
        });
      }
      const result = run(["-i"], line);
      if (result.status !== 0) throw toError(result);
    },
    remove(name) {
      const result = run(["delete-generic-password", "-s", service, "-a", name]);
      if (result.status !== 0 && result.status !== NOT_FOUND) throw toError(result);
    },
  };
}
