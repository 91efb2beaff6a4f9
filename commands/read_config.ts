/**
 * Reads the configuration and prints its warnings.
 *
 * @module
 */
import process from "node:process";
import { type Config, loadConfig } from "../lib/config/load.ts";
import { writeWarning } from "./terminal/sentences.ts";

/**
 * Reads the configuration without printing anything.
 *
 * @param file the value of `--config`
 * @throws {ConfigurationError} if the file cannot be read or is invalid
 */
export function readConfigSilently(file: string | undefined): Config {
  return loadConfig(process.env, process.cwd(), file);
}

/** Prints the warnings about a configuration. */
export function printWarnings({ warnings }: Config): void {
  for (const warning of warnings) writeWarning(warning);
}

/**
 * Reads the configuration and prints its warnings.
 *
 * @param file the value of `--config`
 * @throws {ConfigurationError} if the file cannot be read or is invalid
 */
export function readConfig(file: string | undefined): Config {
  const config = readConfigSilently(file);
  printWarnings(config);
  return config;
}
