/**
 * Reads which file the metrics of a batch go to, from a flag or the configuration.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import type { Config } from "../../lib/config/load.ts";
import { checkMetricsFile } from "../../lib/metrics/metrics_file.ts";

/**
 * The file that a flag or the configuration names. A path in a configuration is relative to that file.
 *
 * @throws {ConfigurationError} if it cannot hold metrics
 */
export function metricsFile(
  config: Config,
  { metricsFile: given }: { metricsFile?: string },
): string | undefined {
  const configured = config.value.batch?.metrics_file;
  if (given === undefined && !configured) return undefined;
  const path = given === undefined ? resolve(dirname(config.file!), configured!) : resolve(given);
  checkMetricsFile(
    path,
    given === undefined ? config.locate(["batch", "metrics_file"]) : "--metrics-file",
  );
  return path;
}
