/**
 * Stores the rows of a job that arrive in the body of its create, one per line.
 *
 * @module
 */
import { asObject, asText } from "../../json/json.ts";
import type { ServerError } from "../../protocols/serve.ts";
import { countTokens } from "../text.ts";
import type { BatchCore } from "./core.ts";
import type { JobRecord } from "./job.ts";

/** A request that is refused while its body is read. */
export class RefusedRequest extends Error {
  readonly error: ServerError;

  constructor(error: ServerError) {
    super(error.message);
    this.error = error;
  }
}

/** Throws a {@link RefusedRequest}. */
export function refuse(status: number, message: string, more: Partial<ServerError> = {}): never {
  throw new RefusedRequest({ status, message, ...more });
}

/** What a job stores about its rows. */
export type StoredRows = Pick<JobRecord, "input" | "inputBytes" | "rows" | "model" | "tokens">;

/** Characters that are collected before they are written. */
const CHUNK = 65_536;

/**
 * Stores rows as the input of a job.
 *
 * @param bodyOf the request in a row
 */
export async function storeRows(
  core: BatchCore,
  { api, owner }: { api: string; owner: string },
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  bodyOf: (row: unknown) => unknown,
): Promise<StoredRows> {
  const encoder = new TextEncoder();
  const models = new Set<string | undefined>();
  const stored = { rows: 0, tokens: 0 };
  const lines = async function* () {
    let text = "";
    for await (const row of rows) {
      const body = bodyOf(row);
      stored.rows++;
      stored.tokens += countTokens(JSON.stringify(body) ?? "");
      if (models.size < 2) models.add(asText(asObject(body)?.model));
      text += `${JSON.stringify(row)}\n`;
      if (text.length < CHUNK) continue;
      yield encoder.encode(text);
      text = "";
    }
    yield encoder.encode(text);
  };
  const id = core.newId("input_");
  const { bytes } = await core.storeFile(id, lines(), () => ({
    api: `${api} input`,
    owner,
    name: id,
    purpose: "input",
  }));
  const model = models.size === 1 ? [...models][0] : undefined;
  return { input: id, inputBytes: bytes, ...stored, ...(model === undefined ? {} : { model }) };
}
