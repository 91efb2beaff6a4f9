/**
 * Describes the share of a batch that goes to one model as a job for workers.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { JobRequest } from "../../../lib/fleet/job_spec.ts";
import { safeUrl } from "../../../lib/redact.ts";
import type { RequestTemplate } from "../../../lib/batch/executors/live.ts";
import type { BatchSource } from "../../../lib/input/input_source.ts";
import type { BatchConnection } from "../connect.ts";

/** A model, and the options of its requests. */
export type RequestedModel = Pick<BatchConnection, "name" | "targets" | "isAnywhere"> & {
  request: RequestTemplate;
};

/** What workers are asked to send. The URLs are only for information, and have no secrets. */
export function jobRequest(
  { name, targets, request, isAnywhere = false }: RequestedModel,
  shared: Pick<JobRequest, "limits" | "cache" | "budget"> = {},
): JobRequest {
  const [{ provider, api }] = targets;
  return {
    name,
    models: [...new Set(targets.map(({ model }) => model))],
    api: api === "auto" ? undefined : api,
    provider: provider === "auto" ? undefined : provider,
    baseUrls: isAnywhere ? [] : [...new Set(targets.map(({ baseUrl }) => safeUrl(baseUrl)))],
    template: request,
    ...shared,
  };
}

function realPath(path: string): string {
  const full = resolve(path);
  try {
    return join(realpathSync(dirname(full)), basename(full));
  } catch {
    return full;
  }
}

/** Identifies the work of a batch: its input, and the result file, which differs between shards. */
export function inputId({ file, output }: { file: BatchSource; output: string }): string {
  const inputs = file.isFiles ? [file.name] : file.files.map(({ name }) => name);
  return JSON.stringify([inputs, realPath(output)]);
}
