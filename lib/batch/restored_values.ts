/**
 * Computes the parsed values of results restored from a result file. The file contains JSON, but the output of
 * a Standard Schema may be any value.
 *
 * @module
 */
import type { ResponseFormat } from "../chat/options.ts";
import { withRecordOptions } from "../chat/record_options.ts";
import { sourceOf } from "../chat/schema_conversion.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { parseStructured } from "../chat/structured_output.ts";
import { copyError } from "../errors.ts";
import type { BatchItem } from "./items.ts";

type ItemGroups = AsyncGenerator<BatchItem[], void, void>;

/**
 * Yields the same groups of items. A restored answer that the schema rejects becomes an error item; the
 * result file is not changed.
 */
export function withRestoredValues(
  groups: ItemGroups,
  format: ResponseFormat | undefined,
): ItemGroups {
  return sourceOf(format) === undefined ? groups : restoreValues(groups, format);
}

async function* restoreValues(groups: ItemGroups, format: ResponseFormat | undefined): ItemGroups {
  for await (const items of groups) {
    yield await Promise.all(items.map((item) => restoreValue(item, format)));
  }
}

async function restoreValue(
  item: BatchItem,
  responseFormat: ResponseFormat | undefined,
): Promise<BatchItem> {
  if (item.status === "error" || !item.restored || item.result.parsed === undefined) return item;
  const { responseFormat: format } = withRecordOptions({ responseFormat }, item.options ?? {});
  if (format === undefined || sourceOf(format) === undefined) return item;
  const { result, restored: _, ...rest } = item;
  try {
    return {
      ...item,
      result: { ...result, parsed: await parseStructured(result.content, format) },
    };
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error;
    return { ...rest, status: "error", error: copyError(error, { result }) };
  }
}
