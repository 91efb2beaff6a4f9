/**
 * Lists the batch APIs of the mock, and finds the one that a request is for.
 *
 * @module
 */
import { anthropicBatches } from "./anthropic.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchVendor } from "./batch_options.ts";
import { fireworksBatches } from "./fireworks.ts";
import { geminiBatches } from "./gemini.ts";
import { mistralBatches } from "./mistral.ts";
import { mockPath } from "./mock_path.ts";
import { openaiBatches } from "./openai.ts";
import { openrouterBatches } from "./openrouter.ts";
import { togetherBatches } from "./together.ts";
import { xaiBatches } from "./xai.ts";

/** All of them. The last one serves the requests that no other one claims. */
export const BATCH_APIS: readonly BatchApiServer[] = [
  anthropicBatches,
  geminiBatches,
  mistralBatches,
  togetherBatches,
  xaiBatches,
  openrouterBatches,
  fireworksBatches,
  openaiBatches,
];

/**
 * The batch API for a request; `undefined` if none serves its path.
 *
 * @param usual the provider on paths that several share
 */
export function batchApiFor(
  request: Request,
  usual: BatchVendor | undefined,
): BatchApiServer | undefined {
  const { vendor: named, path } = mockPath(new URL(request.url).pathname);
  const able = BATCH_APIS.filter(({ paths }) => paths.test(path));
  const of = (vendor: BatchVendor | undefined) =>
    able.find(({ vendors }) => vendor !== undefined && vendors.includes(vendor));
  if (named !== undefined) return of(named);
  return of(usual) ?? able.find((api) => api.claims?.(request)) ?? able.at(-1);
}
