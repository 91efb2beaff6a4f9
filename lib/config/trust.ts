/**
 * Requires the user's approval before a configuration in the current directory sends their variables elsewhere.
 *
 * Such a file may come with someone else's repository. Approval covers one file with one content.
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
import { isPrivateHost } from "../services/private_host.ts";
import { cacheServers, configuredRedis } from "./redis_urls.ts";
import { expandReferences, isReference, keysIn, variablesIn } from "./references.ts";
import { configuredServers, referenceFields } from "./servers.ts";
import { isForeign, isForeignKey } from "./service_variables.ts";
import { writeUserFile } from "../files/replace_file.ts";

/** The variable whose key goes to whichever model is in use. */
const GENERAL_KEY = "FLEXLLM_API_KEY";

/** What a Redis server receives besides variables: a cache and a batch hold what users send and get. */
const SHARED_DATA = "prompts and answers";

/** What a configuration would send to a server of another service, or of somebody else. */
export interface ForeignVariable {
  /** The variable's name, `keys.` and that of a stored key, or `prompts and answers`. */
  variable: string;
  /** The field that refers to it. */
  path: Path;
  /** The host that would receive it. */
  host: string;
}

/** What models, endpoints, caches and Redis would send to servers of other services, or of somebody else. */
export function foreignVariables(value: ConfigValue, env: Environment): ForeignVariable[] {
  const foreign: ForeignVariable[] = [];
  const add = (variable: string, server: string, path: Path) =>
    foreign.push({ variable, path, host: URL.parse(server)?.host ?? safeUrl(server) });
  const check = (variable: string, server: string, path: Path) => {
    if (isForeign(variable, server, env)) add(variable, server, path);
  };
  for (const { entry, path } of configuredServers(value)) {
    const { base_url, provider = "auto", api_key } = entry;
    // Something must stand for a key: one in the host name makes it another host.
    const server = base_url === undefined
      ? baseUrlOf(provider) ?? ""
      : expandReferences(base_url, env, { readKey: () => "key" });
    for (const [names, text] of referenceFields(entry)) {
      for (const name of variablesIn(text)) check(name, server, [...path, ...names]);
      for (const name of keysIn(text)) {
        if (isForeignKey(name, server, env)) add(`keys.${name}`, server, [...path, ...names]);
      }
    }
    // Without api_key, the key of the host's service is used implicitly.
    const hasOwnKey = expandReferences(api_key ?? "", env) !== "";
    const implied = hasOwnKey || !URL.canParse(server) ? undefined : keyVariableOf(server);
    if (implied !== undefined) check(implied, server, [...path, "base_url"]);
    // It replaces the key of any model, but not those of endpoints.
    if (env[GENERAL_KEY] && server !== "" && path[0] === "models") {
      check(GENERAL_KEY, server, [...path, GENERAL_KEY]);
    }
  }
  for (const { url, path } of cacheServers(value)) {
    if (/^https?:/i.test(url)) check("DENO_KV_ACCESS_TOKEN", url, path);
  }
  for (const { url, path } of configuredRedis(value)) {
    // The user has chosen the server, not the author of the file.
    if (isReference(url)) continue;
    const server = expandReferences(url, env, { readKey: () => "key" });
    for (const name of variablesIn(url)) check(name, server, path);
    for (const name of keysIn(url)) add(`keys.${name}`, server, path);
    if (!isPrivateHost(URL.parse(server)?.hostname ?? ".")) add(SHARED_DATA, server, path);
  }
  return foreign;
}

/** Whether `file` is in the directory `folder` and is not the user's own configuration. */
export function isFoundIn(folder: string, file: string, env: Environment): boolean {
  return dirname(resolve(file)) === resolve(folder) &&
    resolve(folder) !== resolve(homeFolder(env));
}

function approvalPath(env: Environment, file: string, text: string): string {
  const digest = createHash("sha256").update(`${realpathSync(file)}\0${text}`).digest("hex");
  return join(homeFolder(env), "trusted", digest);
}

/** Whether the user has approved `file` with this content, or set `FLEXLLM_TRUST=1`. */
export function isApproved(env: Environment, file: string, text: string): boolean {
  return env.FLEXLLM_TRUST === "1" || existsSync(approvalPath(env, file, text));
}

/** Stores the user's approval of `file` with this content. */
export function approve(env: Environment, file: string, text: string): void {
  writeUserFile(approvalPath(env, file, text), `${realpathSync(file)}\n`, true);
}

/** The part of a configuration that this check needs. */
interface UnapprovedConfig {
  unapproved: readonly ForeignVariable[];
  locate(path: Path): string;
}

/** Describes which variable would be sent where. */
export function describeForeign({ variable, host }: ForeignVariable): string {
  return `${variable} would be sent to ${host}`;
}

/**
 * Refuses to use the value at `path` if it would send a variable the user has not approved.
 *
 * @throws {ConfigurationError} naming the variable, the host and how to approve
 */
export function requireApproval({ unapproved, locate }: UnapprovedConfig, path: Path): void {
  const found = unapproved.find((each) => path.every((name, i) => each.path[i] === name));
  if (found !== undefined) refuse(found, locate);
}

/**
 * Refuses to send `FLEXLLM_API_KEY` to the server of the entry at `path` if the user has not approved it.
 *
 * @throws {ConfigurationError} as {@link requireApproval} does
 */
export function requireApprovalOfGeneralKey({ unapproved, locate }: UnapprovedConfig, path: Path) {
  requireApproval({ unapproved, locate }, [...path, GENERAL_KEY]);
}

function refuse(found: ForeignVariable, locate: UnapprovedConfig["locate"]): never {
  throw new ConfigurationError(`${locate(found.path)}: ${describeForeign(found)}`, {
    hint:
      "The file was found in the current directory and may not be yours, so nothing was sent. " +
      "Review it with `flexllm config show`; to allow it, run `flexllm config trust` once, " +
      "or set FLEXLLM_TRUST=1 in scripts.",
  });
}
