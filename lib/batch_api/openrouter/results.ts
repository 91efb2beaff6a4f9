/**
 * Reads the results of OpenRouter's batches, page by page.
 *
 * @module
 */
import { asObjects, asText, type Json } from "../../json/json.ts";
import type { Job, RowResult } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { decodeRow } from "../openai/rows.ts";
import { PageCursors } from "../page_cursors.ts";
import { isNotFound, type ParseJson, readJson } from "../read_json.ts";

/** Rows a page. OpenRouter allows 1,000, but answers can be long. */
const PAGE = 100;

/** Reads one page; `undefined` if the server has no pages, as in the first version of this API. */
async function readPage(
  http: BatchHttp,
  path: string,
  cursor: string | undefined,
  parse: ParseJson,
): Promise<Json | undefined> {
  try {
    const query = { limit: String(PAGE), cursor };
    return await readJson(http, { path: `${path}/results`, query }, parse);
  } catch (error) {
    if (cursor === undefined && isNotFound(error)) return undefined;
    throw error;
  }
}

/** Reads all results of a job. */
export async function* readResults(
  http: BatchHttp,
  { id }: Job,
  parse: ParseJson,
): AsyncGenerator<RowResult> {
  const path = `/batches/${encodeURIComponent(id)}`;
  const cursors = new PageCursors();
  let cursor: string | undefined;
  do {
    const page = await readPage(http, path, cursor, parse);
    // Then they are part of the job.
    const rows = page?.data ?? (await readJson(http, { path }, parse)).results;
    const items = asObjects(rows);
    for (const item of items) {
      const row = decodeRow(item);
      if (row !== undefined) yield row;
    }
    const next = page?.has_more === false ? undefined : asText(page?.next_cursor);
    cursor = cursors.next(next, items.length);
  } while (cursor !== undefined);
}
