/**
 * Starts to write the metrics of a batch, if they are wanted.
 *
 * @module
 */
import type { BatchMetricsFile } from "./metrics.ts";
import type { PreparedBatch } from "./settings.ts";

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
