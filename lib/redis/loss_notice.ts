/**
 * Reports the loss and the return of a server: one line each, for all parts of a process that use a connection.
 *
 * @module
 */
import type { RedisConnection } from "./redis_connection.ts";
import type { RedisUnavailableError } from "./redis_error.ts";
import type { StoreLossPolicy } from "./redis_settings.ts";

/** Called with a line. Parts that pass the same function get one line together. */
type Report = (line: string) => void;

/** The parts that report to one function. */
interface Listeners {
  /** What each part does until the server can be used again. */
  consequences: Set<{ text: string }>;
  end: () => void;
}

const reports = new WeakMap<RedisConnection, Map<Report, Listeners>>();

/** What happens to shared rate limits without the server. */
export function rateConsequence({ rates }: Required<StoreLossPolicy>): string {
  return {
    divide: "each process keeps to its part of the rate limits",
    stop: "requests with a rate limit wait",
    full: "each process uses the whole rate limits",
  }[rates];
}

/** What happens to shared budgets without the server. */
export function budgetConsequence({ budget }: Required<StoreLossPolicy>): string {
  return {
    stop: "after 10 s no request is sent that costs money",
    continue: "each process counts the budget by itself",
  }[budget];
}

/** Several consequences as one. */
function joined(consequences: Iterable<{ text: string }>): string {
  const texts = [...new Set([...consequences].map(({ text }) => text))];
  const last = texts.pop()!;
  return texts.length === 0 ? last : `${texts.join(", ")}, and ${last}`;
}

function listen(connection: RedisConnection, report: Report): Listeners {
  const consequences: Listeners["consequences"] = new Set();
  let downAt: number | undefined;
  const onDown = ({ message }: RedisUnavailableError) => {
    downAt = performance.now() - connection.downFor;
    report(`${message}; until it can be used again, ${joined(consequences)}`);
  };
  const end = connection.watch({
    onDown,
    onUp: () => {
      if (downAt === undefined) return;
      const seconds = Math.max(1, Math.round((performance.now() - downAt) / 1000));
      downAt = undefined;
      report(`Redis at ${connection.address.shown} can be used again, after ${seconds} s`);
    },
  });
  // The first part has to add its consequence.
  queueMicrotask(() => {
    const { failure } = connection;
    if (failure !== undefined && downAt === undefined && consequences.size > 0) onDown(failure);
  });
  return { consequences, end };
}

/**
 * Reports the loss and the return of the server to `report`, also if it is lost already. Returns a function that
 * ends this.
 *
 * @param consequence what this part does until the server can be used again, as a clause
 */
export function reportLoss(
  connection: RedisConnection,
  report: Report,
  consequence: string,
): () => void {
  const functions = reports.get(connection) ?? new Map<Report, Listeners>();
  reports.set(connection, functions);
  const listeners = functions.get(report) ?? listen(connection, report);
  functions.set(report, listeners);
  const own = { text: consequence };
  listeners.consequences.add(own);
  return () => {
    listeners.consequences.delete(own);
    if (listeners.consequences.size > 0 || functions.get(report) !== listeners) return;
    functions.delete(report);
    listeners.end();
  };
}
