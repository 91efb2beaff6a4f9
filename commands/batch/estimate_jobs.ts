/**
 * Finds the batch API of a model for an estimate, and how many jobs a batch would be there.
 *
 * @module
 */
import type { BatchLimits } from "../../lib/batch_api/batch_api.ts";
import { CANARY_ROWS } from "../../lib/batch/jobs/canary.ts";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import { unknownBatchPrice } from "../../lib/pricing/batch_price.ts";
import { loadBatchPricer, type Pricer } from "../../lib/pricing/price.ts";
import { DEFAULT_PART_ROWS } from "../../lib/batch/jobs/submission_limits.ts";
import { connect } from "../../lib/services/connect.ts";
import type { PricedModel } from "./connect.ts";

/** The batch API of one model at one server. */
export interface EstimatedApi {
  limits: BatchLimits;
  price: Pricer;
  /** Why its price is unknown, if it is. */
  problem: string;
}

/** The share of the limit in bytes that a job uses. */
const BYTES_SHARE = 0.95;
/** Bytes that an API adds to each row: its id, and where it goes. */
const ROW_OVERHEAD = 120;

const NOTHING = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };

/**
 * The batch API of a model; `undefined` if its server has none. An unknown server may have one, and is only
 * assumed to if the user has set its batch price.
 */
export async function estimatedApi(
  { model, baseUrl, provider, api, prices }: PricedModel,
): Promise<EstimatedApi | undefined> {
  const { endpoint, protocolOf } = connect({ baseUrl, provider, api });
  const protocol = protocolOf({ model, messages: [], options: {}, stream: false });
  const batchApi = batchApiOf(endpoint, protocol);
  if (batchApi === undefined) return undefined;
  const price = await loadBatchPricer(baseUrl, prices);
  if (endpoint.service === undefined && price(model, NOTHING) === null) return undefined;
  const problem = unknownBatchPrice(new URL(baseUrl).hostname);
  return { limits: batchApi.limits, price, problem };
}

/** The number of jobs for this many records, of `bytes` in total. */
export function jobCount(
  { records, bytes }: { records: number; bytes: number },
  limits: BatchLimits,
): number {
  if (records === 0) return 0;
  const first = records > CANARY_ROWS ? CANARY_ROWS : 0;
  const rest = records - first;
  const total = (bytes / records + ROW_OVERHEAD) * rest;
  const jobs = Math.max(
    Math.ceil(rest / Math.min(limits.rows, DEFAULT_PART_ROWS)),
    Math.ceil(total / (limits.bytes * BYTES_SHARE)),
  );
  return jobs + (first > 0 ? 1 : 0);
}
