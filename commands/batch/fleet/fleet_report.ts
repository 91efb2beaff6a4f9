/**
 * Reports what workers did for a batch, as sentences and as JSON.
 *
 * @module
 */
import { counted } from "../../terminal/format.ts";
import type { FleetOutcome } from "./fleet_watch.ts";

/** Sentences about workers for the report. */
export function fleetSentences(outcome: FleetOutcome, dollars: (usd: number) => string): string[] {
  const { workers, duplicates, reassigned, hedged, left } = outcome;
  const sentences: string[] = [];
  const others = workers.filter(({ isEmbedded }) => !isEmbedded).length;
  if (others > 0) {
    const own = workers.length > others ? "this process and " : "";
    sentences.push(`Sent by ${own}${counted(others, own ? "other worker" : "worker")}.`);
  }
  if (reassigned > 0) {
    sentences.push(
      `${counted(reassigned, "record")} went to another worker because ` +
        `${reassigned === 1 ? "its" : "their"} first one was lost.`,
    );
  }
  if (hedged > 0) {
    sentences.push(`${counted(hedged, "slow record")} also went to a second worker (--hedge).`);
  }
  const { answers, cost, unpriced } = duplicates;
  if (answers > 0 || cost > 0) {
    const price = unpriced > 0 && cost === 0 ? "unknown cost" : dollars(cost);
    sentences.push(`${counted(answers, "answer")} arrived twice (${price}, not counted above).`);
  }
  const where = [
    ...left.records > 0 ? [`${counted(left.records, "record")} with workers`] : [],
    ...left.answers > 0 ? [`${counted(left.answers, "answer")} in Redis`] : [],
  ];
  if (where.length > 0) {
    sentences.push(
      `Left: ${where.join(", ")}. Run the same command again within a week to collect them.`,
    );
  }
  return sentences;
}

/** What workers did, for the JSON summary. */
export function fleetJson({ jobs, workers, duplicates, reassigned, hedged, left }: FleetOutcome) {
  return {
    jobs,
    workers: workers.map(({ name, host, pid, isEmbedded, concurrency, lastError }) => ({
      name,
      host,
      pid,
      embedded: isEmbedded,
      concurrency,
      last_error: lastError ?? null,
    })),
    duplicate_answers: duplicates.answers,
    duplicate_cost: duplicates.unpriced > 0 && duplicates.cost === 0 ? null : duplicates.cost,
    reassigned,
    hedged,
    records_with_workers: left.records,
    answers_in_redis: left.answers,
  };
}
