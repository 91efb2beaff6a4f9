/**
 * Stores keys in the Secret Service of a Linux desktop, such as GNOME Keyring or KWallet, with `secret-tool`.
 *
 * Source: the manual page secret-tool(1); `lookup` also exits with 1 and no message if the user does not
 * unlock the keyring.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError } from "../errors.ts";
import type { Environment } from "../files/paths.ts";
import type { Keychain } from "./keychain.ts";
import { type CommandResult, runKeychainCommand, shellCommand } from "./keychain_command.ts";

const TITLE = "the keyring";
/** Where distributions install `secret-tool`, in case PATH is empty, as in a cron job. */
const FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/run/current-system/sw/bin"];
/** What to do instead. */
const ELSEWHERE = "or store the key in a file: flexllm keys set NAME --store file";
const UNLOCK = `Unlock it by logging in to the desktop, ${ELSEWHERE}`;

function findProgram(env: Environment): string | undefined {
  const folders = [...(env.PATH ?? "").split(":"), ...FOLDERS];
  return folders.filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, "secret-tool"))
    .find((path) => existsSync(path));
}

function hasSessionBus(env: Environment): boolean {
  if (env.DBUS_SESSION_BUS_ADDRESS) return true;
  return Boolean(env.XDG_RUNTIME_DIR) && existsSync(join(env.XDG_RUNTIME_DIR!, "bus"));
}

/** The error behind what `secret-tool` printed. */
function toError({ status, stderr }: CommandResult): ConfigurationError {
  const lines = stderr.split("\n").filter((line) => line.startsWith("secret-tool: "));
  const reason = lines.at(-1)?.replace("secret-tool: ", "").trim() ??
    `secret-tool exited with code ${status}`;
  if (/locked|dismissed/i.test(reason)) {
    return new ConfigurationError(`${TITLE} is locked`, { hint: UNLOCK });
  }
  if (/autolaunch|connect|no such file/i.test(reason)) {
    return new ConfigurationError(`${TITLE} cannot be reached: there is no D-Bus session`, {
      hint: `Run flexllm in a desktop session or under dbus-run-session, ${ELSEWHERE}`,
    });
  }
  if (/not provided|ServiceUnknown|activat/i.test(reason)) {
    return new ConfigurationError(`${TITLE} cannot be reached: no Secret Service is running`, {
      hint: `Install GNOME Keyring or KWallet, ${ELSEWHERE}`,
    });
  }
  return new ConfigurationError(`cannot use ${TITLE}: ${reason}`, { hint: UNLOCK });
}

/** The Secret Service; `undefined` without `secret-tool` or a D-Bus session. */
export function secretService(env: Environment, service: string): Keychain | undefined {
  const program = findProgram(env);
  if (program === undefined || !hasSessionBus(env)) return undefined;
  const run = (verb: string, name: string, input?: string): CommandResult =>
    runKeychainCommand({
      ...shellCommand('exec "$@"', [
        ...[program, verb],
        ...verb === "store" ? ["--label", `flexllm: ${name}`] : [],
        ...["service", service, "account", name],
      ]),
      input,
      title: TITLE,
      hint: UNLOCK,
    });
  /** Whether the key is listed. A locked keyring lists the attributes of its secrets. */
  const isListed = (name: string): boolean => {
    const { stdout, stderr } = run("search", name);
    return /^attribute\.account/m.test(`${stdout}\n${stderr}`);
  };
  return {
    title: TITLE,
    read(name) {
      const result = run("lookup", name);
      if (result.status === 0) return result.stdout.replace(/\n$/, "");
      if (result.stderr.includes("secret-tool: ")) throw toError(result);
      if (!isListed(name)) return undefined;
      throw new ConfigurationError(`${TITLE} is locked`, { hint: UNLOCK });
    },
    write(name, key) {
      const result = run("store", name, key);
      if (result.status !== 0) throw toError(result);
    },
    remove(name) {
      const result = run("clear", name);
      if (result.status !== 0 && result.stderr.includes("secret-tool: ")) throw toError(result);
    },
  };
}
