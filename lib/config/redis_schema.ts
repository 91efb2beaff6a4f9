/**
 * Defines the schema of the section `redis`.
 *
 * @module
 */
import * as v from "valibot";
import { BUDGET_ON_STORE_LOSS, RATES_ON_STORE_LOSS } from "../redis/redis_settings.ts";
import { describe, text } from "./schema_values.ts";

const onStoreLoss = v.strictObject({
  rates: v.optional(
    describe(
      "Rate limits: `divide` gives each process an equal part, `stop` sends nothing, `full` gives each " +
        "process the whole limit; default `divide`.",
      v.picklist(RATES_ON_STORE_LOSS, `expected one of ${RATES_ON_STORE_LOSS.join(", ")}`),
    ),
  ),
  budget: v.optional(
    describe(
      "Shared budgets: `stop` sends no request that costs money after 10 seconds, `continue` lets each " +
        "process count by itself; default `stop`.",
      v.picklist(BUDGET_ON_STORE_LOSS, `expected one of ${BUDGET_ON_STORE_LOSS.join(", ")}`),
    ),
  ),
}, "expected rates and budget");

const fields = v.strictObject({
  url: describe("The address: `redis://` or `rediss://` (encrypted).", text),
  prefix: v.optional(
    describe(
      "What all keys begin with; fleets with different prefixes share nothing. Default `flexllm`.",
      text,
    ),
  ),
  on_store_loss: v.optional(describe("What happens while Redis cannot be used.", onStoreLoss)),
}, "expected url, prefix and on_store_loss");

/** The section `redis`: a URL, or its fields. */
export const redis = v.union([text, fields], "expected a URL, or url, prefix and on_store_loss");
