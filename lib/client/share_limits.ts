/**
 * Makes a client share its limits and its budget with other processes, through Redis.
 *
 * Loaded only if a server is named.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import { type BudgetShare, shareBudget } from "../pricing/share_budget.ts";
import { budgetConsequence, rateConsequence, reportLoss } from "../redis/loss_notice.ts";
import { RedisUnavailableError } from "../redis/redis_error.ts";
import type { RedisConnection } from "../redis/redis_connection.ts";
import { systemClock } from "../runtime/clock.ts";
import { warnAboutEviction } from "../redis/eviction.ts";
import { shareConnection } from "../redis/shared_connection.ts";
import type { LossCheck } from "../scheduling/dispatch_group.ts";
import { limitGroup, type LimitSubject } from "../scheduling/shared/limit_group.ts";
import type { SharedLimitOptions } from "../scheduling/shared/limit_reporter.ts";
import { SharedRate } from "../scheduling/shared/shared_rate.ts";
import { SharedSlots } from "../scheduling/shared/shared_slots.ts";
import { SharedTokens } from "../scheduling/shared/shared_tokens.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import type { SharedSettings } from "./redis_options.ts";

/** Limits as configured. */
export interface ConfiguredLimits {
  maxQps: number | undefined;
  maxTpm: number | undefined;
  /** Maximum requests in flight over all processes. */
  maxInFlight: number | undefined;
}

/** What a client shares. */
export interface LimitsToShare {
  settings: SharedSettings;
  endpoints: readonly EndpointClient[];
  /** The limits of each endpoint, in their order. */
  limits: readonly ConfiguredLimits[];
  /** The limits of all endpoints together. */
  total: Pick<ConfiguredLimits, "maxQps" | "maxTpm">;
  /** Whether there is any limit. */
  hasLimits: boolean;
  costTracker: CostTracker | undefined;
  /** The number of requests that wait for an endpoint. */
  waiting: () => number;
  /** Dispatches the requests that wait. */
  dispatch: () => void;
  /** Maximum seconds that a single call waits. */
  maxWait: number;
  /** From now on, checks whether requests may keep waiting for what is shared. */
  setLossCheck: (check: LossCheck) => void;
}

/** Limits that are shared until they are closed. */
export interface LimitShare {
  /** Leaves the other processes. Never rejects. */
  close(): Promise<void>;
}

/** The budget of a tracker, which several clients may use. */
interface TrackerShare {
  share: Promise<BudgetShare>;
  users: number;
}

/** How often, and at which interval in milliseconds, aborted requests are waited for. */
const SETTLE_CHECKS = 50;
const SETTLE_INTERVAL = 10;

const trackers = new WeakMap<CostTracker, TrackerShare>();

async function joinBudget(
  connection: RedisConnection,
  tracker: CostTracker,
  { onStoreLoss, onWarning }: SharedSettings,
  name: string,
): Promise<() => Promise<void>> {
  let entry = trackers.get(tracker);
  if (entry === undefined) {
    entry = {
      share: shareBudget(connection, tracker, {
        name,
        minimum: 0,
        mayStartDown: true,
        onStoreLoss: onStoreLoss.budget,
        onError: (error) => onWarning?.(`the shared budget cannot be counted: ${error}`),
      }),
      users: 0,
    };
    trackers.set(tracker, entry);
  }
  const own = entry;
  own.users++;
  const leave = async () => {
    if (--own.users > 0) return;
    trackers.delete(tracker);
    // Requests that were aborted a moment ago still count what they may have cost.
    for (let i = 0; i < SETTLE_CHECKS && tracker.reserved > 0; i++) {
      await systemClock.sleep(SETTLE_INTERVAL);
    }
    await own.share.then((share) => share.close(), () => {});
  };
  try {
    await own.share;
  } catch (error) {
    await leave();
    throw error;
  }
  return leave;
}

function subjectOf({ baseUrl, model, connection: { endpoint } }: EndpointClient): LimitSubject {
  return { baseUrl, apiKey: endpoint.apiKey, model };
}

/** Reports the loss and the return of the server, if anything is shared. */
function noteLoss(
  connection: RedisConnection,
  { onStoreLoss, onWarning }: SharedSettings,
  shared: { rates: boolean; budget: boolean },
): () => void {
  const consequences = [
    ...shared.rates ? [rateConsequence(onStoreLoss)] : [],
    ...shared.budget ? [budgetConsequence(onStoreLoss)] : [],
  ];
  if (onWarning === undefined) return () => {};
  const ends = consequences.map((each) => reportLoss(connection, onWarning, each));
  return () => ends.forEach((end) => end());
}

/** Ends the wait of single calls that only the server could let start, once it has been down for too long. */
function limitWait(
  connection: RedisConnection,
  { onStoreLoss }: SharedSettings,
  { maxWait, setLossCheck, dispatch }: Pick<LimitsToShare, "maxWait" | "setLossCheck" | "dispatch">,
): () => void {
  let loss: RedisUnavailableError | undefined;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  setLossCheck((awaited) => {
    const isStopped = awaited === "money" ? onStoreLoss.budget : onStoreLoss.rates;
    return isStopped === "stop" && connection.downFor >= maxWait * 1000 ? loss : undefined;
  });
  const onDown = (error: RedisUnavailableError) => {
    loss = error;
    clearTimeout(waiting);
    waiting = setTimeout(dispatch, Math.max(0, maxWait * 1000 + 1 - connection.downFor));
  };
  if (connection.failure !== undefined) onDown(connection.failure);
  const unwatch = connection.watch({
    onDown,
    onUp: () => {
      loss = undefined;
      clearTimeout(waiting);
    },
  });
  return () => {
    clearTimeout(waiting);
    setLossCheck(() => undefined);
    unwatch();
  };
}

/**
 * Connects to the server and joins the processes that share the limits.
 *
 * @throws {FlexLLMError} if the server cannot be used
 */
export async function shareLimits(
  { settings, endpoints, limits, total, hasLimits, costTracker, waiting, dispatch, ...wait }:
    LimitsToShare,
): Promise<LimitShare> {
  const shared = await shareConnection(settings.address, {
    mayStartDown: !settings.isRequired,
  });
  const { connection } = shared;
  const closers: (() => unknown)[] = [() => shared.release()];
  const close = async () => {
    for (const end of closers.reverse()) await end();
    closers.length = 0;
  };
  const options: SharedLimitOptions = {
    onStoreLoss: settings.onStoreLoss.rates,
    waiting,
    onChange: dispatch,
    onError: (error) => settings.onWarning?.(`the shared limits cannot be used: ${error}`),
  };
  // Lost meanwhile, or at the start: everything begins as it continues after a loss.
  const startDown = (error: unknown) => {
    if (!(error instanceof RedisUnavailableError)) throw error;
  };
  const open = async <T extends { join(): Promise<void>; close(): Promise<void> }>(limit: T) => {
    closers.push(() => limit.close());
    await limit.join().catch(startDown);
    return limit;
  };
  try {
    warnAboutEviction(connection, settings.onWarning);
    const isBudgetShared = costTracker?.limit !== undefined && settings.budget !== undefined;
    closers.push(noteLoss(connection, settings, { rates: hasLimits, budget: isBudgetShared }));
    closers.push(limitWait(connection, settings, { dispatch, ...wait }));
    const subjects = endpoints.map(subjectOf);
    const all = limitGroup(subjects);
    const allTokens = total.maxTpm === undefined ? undefined : await open(
      new SharedTokens(connection, { group: `${all}:all`, perMinute: total.maxTpm }, options),
    );
    const made = new Map<string, Promise<SharedTokens | SharedSlots>>();
    /** Endpoints with the same server, key and model are one. */
    const once = <T extends SharedTokens | SharedSlots>(
      name: string,
      create: () => T,
    ): Promise<T> => {
      const found = made.get(name) ?? open(create());
      made.set(name, found);
      return found as Promise<T>;
    };
    const opened = await Promise.all(endpoints.map(async (_, i) => {
      const group = limitGroup([subjects[i]]);
      const { maxQps, maxTpm, maxInFlight } = limits[i];
      const rates = [];
      if (maxQps !== undefined) rates.push({ group, perSecond: maxQps });
      if (total.maxQps !== undefined) rates.push({ group: `${all}:all`, perSecond: total.maxQps });
      const [qps, tokens, slots] = await Promise.all([
        rates.length === 0 ? undefined : open(new SharedRate(connection, rates, options)),
        maxTpm === undefined ? undefined : once(
          `tokens ${group} ${maxTpm}`,
          () => new SharedTokens(connection, { group, perMinute: maxTpm }, options),
        ),
        maxInFlight === undefined ? undefined : once(
          `slots ${group} ${maxInFlight}`,
          () => new SharedSlots(connection, { group, max: maxInFlight }, options),
        ),
      ]);
      return { qps, tpm: [tokens, allTokens].filter((each) => each !== undefined), slots };
    }));
    if (costTracker !== undefined && settings.budget !== undefined) {
      closers.push(await joinBudget(connection, costTracker, settings, settings.budget));
    }
    for (const [i, limit] of opened.entries()) endpoints[i].limits.share(limit);
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
