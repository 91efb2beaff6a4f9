/**
 * Chooses the file for the metrics of a batch, and opens it if there is one.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import type { Config } from "../../lib/config/load.ts";
import { checkMetricsFile } from "../../lib/metrics/metrics_file.ts";
import type { BatchMetricsFile } from "./metrics.ts";
import type { PreparedBatch } from "./settings.ts";

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

/** Starts to write the metrics of a batch; `undefined` if none are wanted. */
export async function openMetrics(
  { metricsFile: file, costTracker, isCacheOn, fleet }: Pick<
    PreparedBatch,
    "metricsFile" | "costTracker" | "isCacheOn" | "fleet"
  >,
  check: { total: number; pending: number },
  spentBefore: number,
): Promise<BatchMetricsFile | undefined> {
  if (file === undefined) return undefined;
  const { BatchMetricsFile } = await import("./metrics.ts");
  return await BatchMetricsFile.open({
    file,
    check,
    budget: costTracker.limit,
    spentBefore,
    isCacheOn,
    hasEndpoints: fleet?.settings.workersOnly !== true,
  });
}
