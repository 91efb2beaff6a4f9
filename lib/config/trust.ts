/**
 * Trust in the configuration of the current folder, which may be somebody else's: it may send variables
 * of the user's services to other servers only with the user's approval of this file and content.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { baseUrlOf, keyVariableOf } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import { safeUrl } from "../redact.ts";
import type { Path } from "../files/document.ts";
import { type Environment, homeFolder } from "../files/paths.ts";
import type { ConfigValue } from "./schema.ts";
import { isForeign } from "./service_variables.ts";
import { writeUserFile } from "../files/replace_file.ts";

/** A variable that a configuration would send to a server that it does not belong to. */
export interface ForeignVariable {
  /** The variable's name. */
  variable: string;
  /** The field that sends it. */
  path: Path;
  /** The host that would get it. */
  host: string;
}

const REFERENCE = /\$\{(\w+)\}/g;

function referencesIn(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(REFERENCE)].map(([, name]) => name);
}

/** What the models, the endpoints and the cache of `value` would send to other servers. */
export function foreignVariables(value: ConfigValue, env: Environment): ForeignVariable[] {
  const found: ForeignVariable[] = [];
  const note = (variable: string, server: string, path: Path) => {
    if (!isForeign(variable, server, env)) return;
    found.push({ variable, path, host: URL.parse(server)?.host ?? safeUrl(server) });
  };
  const lists = [
    { path: ["models"], entries: value.models ?? [] },
    { path: ["batch", "endpoints"], entries: value.batch?.endpoints ?? [] },
  ];
  for (const { path, entries } of lists) {
    for (const [i, { base_url, provider = "auto", api_key, headers = {} }] of entries.entries()) {
      const server = base_url?.replace(REFERENCE, (_, name) => env[name] ?? "") ??
        baseUrlOf(provider) ?? "";
      const fields: [names: string[], text: string | undefined][] = [
        [["base_url"], base_url],
        [["api_key"], api_key],
        ...Object.entries(headers).map(([name, text]): [string[], string] => [
          ["headers", name],
          text,
        ]),
      ];
      for (const [names, text] of fields) {
        for (const name of referencesIn(text)) note(name, server, [...path, i, ...names]);
      }
      // The variable of the host's service is used without being named.
      const implied = api_key || !URL.canParse(server) ? undefined : keyVariableOf(server);
      if (implied !== undefined) note(implied, server, [...path, i, "base_url"]);
    }
  }
  const { cache } = value;
  if (typeof cache === "object" && /^https?:/.test(cache?.path ?? "")) {
    note("DENO_KV_ACCESS_TOKEN", cache!.path!, ["cache", "path"]);
  }
  return found;
}

/** Whether `file` was only found in `folder`, not named by the user. */
export function isFoundIn(folder: string, file: string, env: Environment): boolean {
  return dirname(resolve(file)) === resolve(folder) &&
    resolve(folder) !== resolve(homeFolder(env));
}

function approvalPath(env: Environment, file: string, text: string): string {
  const digest = createHash("sha256").update(`${realpathSync(file)}\0${text}`).digest("hex");
  return join(homeFolder(env), "trusted", digest);
}

/** Whether the user has approved `file` with this content, or `FLEXLLM_TRUST=1` does. */
export function isApproved(env: Environment, file: string, text: string): boolean {
  return env.FLEXLLM_TRUST === "1" || existsSync(approvalPath(env, file, text));
}

/** Stores the user's approval of `file` with this content. */
export function approve(env: Environment, file: string, text: string): void {
  writeUserFile(approvalPath(env, file, text), `${realpathSync(file)}\n`, true);
}

/** The variables that a configuration may not send yet. */
interface Guarded {
  unapproved: readonly ForeignVariable[];
  locate(path: Path): string;
}

/** Describes what would be sent where. */
export function describeForeign({ variable, host }: ForeignVariable): string {
  return `${variable} would be sent to ${host}`;
}

/**
 * Refuses to send what the user has not approved.
 *
 * @param path the entry that is about to be used
 * @throws {ConfigurationError} naming the variable, the host and the way to approve
 */
export function requireApproval({ unapproved, locate }: Guarded, path: Path): void {
  const found = unapproved.find((each) => path.every((name, i) => each.path[i] === name));
  if (found === undefined) return;
  throw new ConfigurationError(`${locate(found.path)}: ${describeForeign(found)}`, {
    hint: "The file was found in the current folder and may not be yours, so nothing was sent. " +
      "Check it with `flexllm config show`; if that is what you want, run " +
      "`flexllm config trust` once, or set FLEXLLM_TRUST=1 in scripts.",
  });
}
