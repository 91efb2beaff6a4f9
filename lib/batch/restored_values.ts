/**
 * Computes the parsed values of results restored from a result file. The file contains JSON, but the output of
 * a Standard Schema may be any value.
 *
 * @module
 */
import type { ResponseFormat } from "../chat/options.ts";
import { sourceOf } from "../chat/schema_conversion.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { parseStructured } from "../chat/structured_output.ts";
import { copyError } from "../errors.ts";
import type { BatchItem } from "./items.ts";

/**
 * The items with the parsed values of their Standard Schemas: that of the record, or else `format`, that
 * of the batch. A restored answer that the schema rejects becomes an error item; the result file is not
 * changed.
 */
export async function withRestoredValues(
  items: BatchItem[],
  format: ResponseFormat | undefined,
): Promise<BatchItem[]> {
  if (!items.some((item) => standardFormat(item, format) !== undefined)) return items;
  return await Promise.all(items.map((item) => restoreValue(item, format)));
}

/** The response format of an item if it was made from a Standard Schema. */
function standardFormat(
  { options }: BatchItem,
  batchFormat: ResponseFormat | undefined,
): ResponseFormat | undefined {
  // Records have converted formats: see `toRecord`.
  const format = (options?.responseFormat ?? batchFormat) as ResponseFormat | undefined;
  return sourceOf(format) === undefined ? undefined : format;
}

async function restoreValue(
  item: BatchItem,
  batchFormat: ResponseFormat | undefined,
): Promise<BatchItem> {
  if (item.status === "error" || item.result.parsed === undefined) return item;
  const format = standardFormat(item, batchFormat);
  if (format === undefined) return item;
  const { result, restored: _, ...rest } = item;
  try {
    const parsed = await parseStructured(result.content, format);
    return { ...item, result: { ...result, parsed } };
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error;
    return { ...rest, status: "error", error: copyError(error, { result }) };
  }
}
