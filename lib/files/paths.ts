/**
 * Finds the configuration file and the folder of the user's files.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ConfigurationError } from "../errors.ts";

/** Environment variables, as in `process.env`. */
export type Environment = Record<string, string | undefined>;

const EXTENSIONS = ["yaml", "yml", "jsonc", "json"];

/** The folder of the user's files: `$FLEXLLM_HOME`, or `~/.flexllm`. */
export function homeFolder(env: Environment): string {
  return env.FLEXLLM_HOME || join(env.HOME || env.USERPROFILE || homedir(), ".flexllm");
}

/** The paths of a configuration file if none is named. The first one that exists is used. */
export function candidatePaths(env: Environment, folder: string): string[] {
  const local = EXTENSIONS.map((extension) => join(folder, `flexllm_config.${extension}`));
  const home = EXTENSIONS.map((extension) => join(homeFolder(env), `config.${extension}`));
  return [...local, ...home];
}

/**
 * The effective configuration file: `named` (from `--config`), `$FLEXLLM_CONFIG`, or the first of the
 * {@link candidatePaths}; `undefined` if there is none.
 *
 * @throws {ConfigurationError} if a file is named and does not exist
 */
export function findConfigFile(
  env: Environment,
  folder: string,
  named: string | undefined,
): string | undefined {
  const explicit = named ?? (env.FLEXLLM_CONFIG || undefined);
  if (explicit !== undefined) {
    if (existsSync(explicit)) return explicit;
    const source = named === undefined ? "FLEXLLM_CONFIG" : "--config";
    throw new ConfigurationError(`the configuration file ${explicit} (${source}) does not exist`, {
      hint: "Name another file, or create one with `flexllm init`.",
    });
  }
  return candidatePaths(env, folder).find((path) => existsSync(path));
}
