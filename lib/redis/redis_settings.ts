/**
 * The settings of what processes share through Redis.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { RedisAddress } from "./redis_address.ts";

/** What happens to rate limits while Redis cannot be used. */
export type RatesOnStoreLoss = "divide" | "stop" | "full";
/** What happens to requests that cost money while Redis cannot be used. */
export type BudgetOnStoreLoss = "stop" | "continue";

/** All values of {@link RatesOnStoreLoss}. */
export const RATES_ON_STORE_LOSS: readonly RatesOnStoreLoss[] = ["divide", "stop", "full"];
/** All values of {@link BudgetOnStoreLoss}. */
export const BUDGET_ON_STORE_LOSS: readonly BudgetOnStoreLoss[] = ["stop", "continue"];

/** What happens while Redis cannot be used. */
export interface StoreLossPolicy {
  /**
   * Rate limits: each process gets an equal part of the limit (`divide`, by the number of processes that were
   * last seen), nothing is sent (`stop`), or each process gets the whole limit (`full`).
   *
   * @default "divide"
   */
  rates?: RatesOnStoreLoss;
  /**
   * Shared budgets: after 10 seconds no request that costs money is sent (`stop`), or each process continues and
   * counts by itself (`continue`).
   *
   * @default "stop"
   */
  budget?: BudgetOnStoreLoss;
}

/** A server and what to do while it cannot be used. */
export interface RedisSettings {
  address: RedisAddress;
  onStoreLoss: Required<StoreLossPolicy>;
}

/** What happens by default. */
export const DEFAULT_STORE_LOSS: Required<StoreLossPolicy> = { rates: "divide", budget: "stop" };

const EXAMPLE =
  "Write --on-store-loss rates=divide,budget=stop, or set redis.on_store_loss in the " +
  "configuration.";

function oneOf<T extends string>(values: readonly T[], value: string, name: string): T {
  const found = values.find((each) => each === value);
  if (found !== undefined) return found;
  const choices = values.map((each) => `${name}=${each}`).join(", ");
  throw new ConfigurationError(`--on-store-loss: ${name}=${value} is not possible`, {
    hint: `Use one of ${choices}, or set redis.on_store_loss in the configuration.`,
  });
}

/**
 * Parses the value of `--on-store-loss`, a policy such as `rates=divide,budget=stop`; what is not named keeps its default.
 *
 * @throws {ConfigurationError} if a name or a value is unknown
 */
export function parseStoreLoss(text: string): StoreLossPolicy {
  const policy: StoreLossPolicy = {};
  for (const part of text.split(",").map((part) => part.trim())) {
    const [name, value = ""] = part.split("=", 2).map((each) => each.trim());
    if (name === "rates") policy.rates = oneOf(RATES_ON_STORE_LOSS, value, name);
    else if (name === "budget") policy.budget = oneOf(BUDGET_ON_STORE_LOSS, value, name);
    else {
      throw new ConfigurationError(`--on-store-loss: expected rates= or budget=, got "${part}"`, {
        hint: EXAMPLE,
      });
    }
  }
  return policy;
}
