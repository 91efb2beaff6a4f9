/**
 * Reads the items of finished records from a result file, without the inputs that they were made from.
 *
 * @module
 */
import { optionsOfWire } from "../chat/record_options.ts";
import type { ResponseFormat } from "../chat/options.ts";
import { type ErrorCode, FlexLLMError } from "../errors.ts";
import type { BatchItem } from "./items.ts";
import type { Journal } from "./journal/journal.ts";
import { recordedResult, type ResultRecord } from "./journal/result_line.ts";
import { withRestoredValues } from "./restored_values.ts";

/** Items that are read together. */
const GROUP = 100;

function itemOf(record: ResultRecord): BatchItem {
  const { index, input, metadata, options, status, error, error_code } = record;
  const head = {
    index,
    messages: input ?? [],
    ...metadata === undefined ? {} : { metadata },
    ...options === undefined ? {} : { options: optionsOfWire(options) },
  };
  if (status === "success") {
    return { ...head, status, result: recordedResult(record), restored: true };
  }
  const code = (error_code ?? "internal") as ErrorCode;
  return { ...head, status, error: new FlexLLMError(code, error ?? "the request failed") };
}

/**
 * Yields the items of the records in a result file, in the order of their indexes.
 *
 * @param responseFormat its Standard Schema checks the results
 * @param isWanted whether to yield a record that has failed
 */
export async function* recordedItems(
  journal: Journal,
  responseFormat: ResponseFormat | undefined,
  isWanted: (index: number) => boolean,
): AsyncGenerator<BatchItem[], void, void> {
  let items: BatchItem[] = [];
  // Results that are added meanwhile are those of the caller.
  const { end } = journal;
  for (let index = 0; index < end; index++) {
    const state = journal.state(index);
    if (state === "none" || (state === "error" && !isWanted(index))) continue;
    items.push(itemOf(journal.read(index)));
    if (items.length < GROUP) continue;
    yield await withRestoredValues(items, responseFormat);
    items = [];
  }
  if (items.length > 0) yield await withRestoredValues(items, responseFormat);
}
