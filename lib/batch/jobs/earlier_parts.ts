/**
 * Continues with the parts that earlier runs have left.
 *
 * @module
 */
import { AuthenticationError, ConfigurationError, HttpError } from "../../errors.ts";
import { abortable } from "../../runtime/abortable.ts";
import { deleteFiles } from "./delete_files.ts";
import type { EarlierRows } from "./earlier_rows.ts";
import type { JobContext } from "./job_context.ts";
import { exportedNote, otherEndpointError } from "./job_notes.ts";
import { LivePart } from "./live_part.ts";
import { holdsRows, type PartState } from "./part_events.ts";

/** Statuses for a job of another project. Gemini and proxies answer 400. */
const NO_ACCESS: ReadonlySet<number> = new Set([400, 401, 403, 404, 410]);

/** Whether a part belongs to the model that this run requests. */
function isOfRun(state: PartState, { options }: JobContext): boolean {
  return state.requested_model === options.requestedModel;
}

function isUnsent({ phase }: PartState): boolean {
  return phase === "planned" || phase === "uploaded";
}

/**
 * Checks that the client of this run can work on a part.
 *
 * @throws {FlexLLMError} if it cannot
 */
async function checkAccess(state: PartState, { client, stopping }: JobContext): Promise<void> {
  const { api, http, endpoint, keyFingerprint } = client;
  const isThere = state.api === api.name && state.endpoint === endpoint;
  if (isThere && state.key === keyFingerprint) return;
  // A list without the job would prove nothing with another key.
  if (!isThere || state.job === undefined) throw otherEndpointError(state, client);
  try {
    // Keys are replaced now and then. What counts is that the job can be read.
    await abortable(api.get(http, state.job.id), stopping.signal);
  } catch (error) {
    // Anything else says nothing about the key, and polls outlast it.
    const isRefused = error instanceof AuthenticationError ||
      error instanceof HttpError && NO_ACCESS.has(error.status);
    if (isRefused) throw otherEndpointError(state, client, error);
    if (stopping.signal.aborted) throw error;
  }
}

/** Gives up a part of an earlier run; the input has its rows. */
function abandon(state: PartState, { store, client }: JobContext): void {
  store.log(state.part, { type: "abandoned", why: "given up by the user (--resend)" });
  const { model, endpoint, reserved } = state;
  client.restore(reserved ?? 0)
    .commit({ model, endpoint, usage: null, cost: reserved, isLost: true });
  store.release(state);
}

/** Deletes the provider's files of a part whose run ended between its collection and that. */
async function cleanLater(state: PartState, context: JobContext): Promise<void> {
  if (state.endpoint !== context.client.endpoint || state.key !== context.client.keyFingerprint) {
    return;
  }
  const part = new LivePart(context, state);
  if (await deleteFiles(part, context)) part.log({ type: "cleaned" });
}

/** The share of a part whose results are not in the result file yet. */
function openShare(indexes: readonly number[], isDone: ((index: number) => boolean) | undefined) {
  if (isDone === undefined || indexes.length === 0) return 1;
  const open = indexes.reduce((n, index) => isDone(index) ? n : n + 1, 0);
  return open / indexes.length;
}

/**
 * The parts of earlier runs that are not finished. Their records are added to `earlier`.
 *
 * @throws {FlexLLMError} if another key or endpoint has submitted one of them
 */
export async function earlierParts(
  context: JobContext,
  earlier: EarlierRows,
): Promise<LivePart[]> {
  const { store, options, client } = context;
  const parts: LivePart[] = [];
  let exported = 0;
  for (const state of store.parts) {
    if (!isOfRun(state, context)) continue;
    if (state.phase === "collected") await cleanLater(state, context);
    if (!holdsRows(state)) continue;
    if (state.phase === "exported") {
      if (options.resend) {
        store.log(state.part, { type: "dropped", why: "sent again by the user (--resend)" });
        store.release(state);
        continue;
      }
      exported += state.rows;
      earlier.add(state, store.records(state));
      continue;
    }
    if (isUnsent(state)) {
      // It was never sent. The input has its rows, and this command may have other options.
      store.log(state.part, { type: "dropped", why: "planned again" });
      store.release(state);
      continue;
    }
    try {
      await checkAccess(state, context);
    } catch (error) {
      if (!options.resend || !(error instanceof ConfigurationError)) throw error;
      abandon(state, context);
      continue;
    }
    const isUnclear = state.phase === "creating" || state.phase === "unknown";
    if (isUnclear && options.resend && client.api.foundBy === "nothing") {
      abandon(state, context);
      continue;
    }
    const records = store.records(state);
    earlier.add(state, records);
    const part = new LivePart(context, state);
    const share = openShare(records.indexes, options.isDone);
    part.money.add(client.restore((state.reserved ?? 0) * share));
    parts.push(part);
  }
  if (exported > 0) context.note(exportedNote(exported));
  return parts;
}
