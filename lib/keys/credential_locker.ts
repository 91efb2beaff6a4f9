/**
 * Stores keys in the Credential Locker of Windows, with Windows PowerShell. Users find them in the Credential
 * Manager, under "Web Credentials".
 *
 * Source: Microsoft Learn, "Credential locker" and the class Windows.Security.Credentials.PasswordVault.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { Keychain } from "./keychain.ts";
import { type CommandResult, runKeychainCommand } from "./keychain_command.ts";

const TITLE = "the Windows Credential Locker";
const HINT = "Log in to the desktop of Windows, or store the key in a file: " +
  "flexllm keys set NAME --store file";
/** Exit code of our scripts if there is no such key. */
const NOT_FOUND = 44;

/** A string of PowerShell, in which nothing is expanded. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A script that runs `action` with the vault in `$v`. One line: `-Command -` reads line by line. */
export function vaultScript(action: string): string {
  return "try { $ErrorActionPreference = 'Stop'; " +
    "[void][Windows.Security.Credentials.PasswordVault,Windows.Security.Credentials," +
    "ContentType=WindowsRuntime]; " +
    `$v = New-Object Windows.Security.Credentials.PasswordVault; ${action} } ` +
    "catch { if ($_.Exception.HResult -eq -2147023728 -or " +
    `$_.Exception.InnerException.HResult -eq -2147023728) { exit ${NOT_FOUND} }; ` +
    "[Console]::Error.WriteLine($_.Exception.Message); exit 1 }\r\n";
}

/** The Credential Locker. */
export function credentialLocker(service: string): Keychain {
  const run = (action: string): CommandResult => {
    const powershell = ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", "-"];
    const result = runKeychainCommand({
      program: "cmd.exe",
      args: ["/d", "/c", ...powershell],
      input: vaultScript(action),
      title: TITLE,
      hint: HINT,
    });
    if (result.status === 0 || result.status === NOT_FOUND) return result;
    const reason = result.stderr.trim().split(/\r?\n/)[0] || `exit code ${result.status}`;
    throw new ConfigurationError(`cannot use ${TITLE}: ${reason}`, { hint: HINT });
  };
  const item = (name: string) => `${quoted(service)}, ${quoted(name)}`;
  return {
    title: TITLE,
    read(name) {
      const { status, stdout } = run(
        `$c = $v.Retrieve(${item(name)}); $c.RetrievePassword(); [Console]::Out.Write($c.Password)`,
      );
      return status === NOT_FOUND ? undefined : stdout.trim();
    },
    write(name, key) {
      run(
        "$v.Add((New-Object Windows.Security.Credentials.PasswordCredential(" +
          `${item(name)}, ${quoted(key)})))`,
      );
    },
    remove(name) {
      run(`$v.Remove($v.Retrieve(${item(name)}))`);
    },
  };
}
