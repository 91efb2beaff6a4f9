/**
 * Reads the results of xAI's batches, page by page.
 *
 * @module
 */
import { asCount, asObject, asObjects, asText, type Json } from "../../json/json.ts";
import type { Job, RowResult } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { PageCursors } from "../page_cursors.ts";
import { type ParseJson, readJson } from "../read_json.ts";

/** Rows a page. xAI allows 1,000, but answers can be long. */
const PAGE = 100;

/** Decodes a row; `undefined` if it has no id, or is not done. */
export function decodeRow(row: Json): RowResult | undefined {
  const id = asText(row.batch_request_id) ?? asText(row.custom_id);
  if (id === undefined) return undefined;
  const result = asObject(row.batch_result);
  const error = [result?.error, row.error, row.error_message].find((value) =>
    asText(value) !== undefined || asObject(value) !== undefined
  );
  // The answer is named after the operation.
  const answers = asObjects(Object.values(asObject(result?.response) ?? {}));
  if (error !== undefined) {
    return { id, kind: "error", body: { error: asObject(error) ?? { message: error } } };
  }
  return answers.length === 0 ? undefined : { id, kind: "answer", body: withCost(answers[0]) };
}

/** Adds xAI's own count of the cost, in 1e-10 USD, in the field in which other services report it. */
function withCost(answer: Json): Json {
  const usage = asObject(answer.usage);
  const ticks = asCount(usage?.cost_in_usd_ticks);
  if (usage === undefined || ticks === undefined || usage.cost !== undefined) return answer;
  return { ...answer, usage: { ...usage, cost: ticks / 1e10 } };
}

/** Reads all results of a job. */
export async function* readResults(
  http: BatchHttp,
  { id }: Job,
  parse: ParseJson,
): AsyncGenerator<RowResult> {
  const path = `/batches/${encodeURIComponent(id)}/results`;
  const cursors = new PageCursors();
  let token: string | undefined;
  do {
    const query = { limit: String(PAGE), pagination_token: token };
    const page = await readJson(http, { path, query }, parse);
    const items = asObjects(page.results ?? page.batch_results ?? page.data);
    for (const item of items) {
      const row = decodeRow(item);
      if (row !== undefined) yield row;
    }
    const next = asText(page.pagination_token ?? page.next_page_token);
    token = cursors.next(next, items.length);
  } while (token !== undefined);
}
