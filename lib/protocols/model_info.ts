/**
 * Builds the description of a model from the fields that its server reported.
 *
 * @module
 */
import type { ModelInfo } from "./protocol.ts";

/** `info` without the fields that the server did not report. */
export function modelInfo(info: ModelInfo): ModelInfo {
  const reported = Object.entries(info).filter(([, value]) => value !== undefined);
  return Object.fromEntries(reported) as unknown as ModelInfo;
}
