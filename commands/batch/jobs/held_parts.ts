/**
 * Finds the parts of a result file whose rows are, or may be, at a provider.
 *
 * @module
 */
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import { counted, quoted } from "../../terminal/format.ts";
import type { SendingMode } from "./job_settings.ts";

/** Parts that a message names. */
const SHOWN_PARTS = 3;

/** The parts of the requested models that hold rows. */
export function heldParts(
  parts: readonly PartState[],
  models: readonly { name: string | undefined }[],
): PartState[] {
  const names = new Set(models.map(({ name }) => name));
  return parts.filter((part) =>
    holdsRows(part) && (part.requested_model === undefined || names.has(part.requested_model))
  );
}

/** The parts of other models that hold rows: this run leaves them alone. */
export function otherParts(
  parts: readonly PartState[],
  models: readonly { name: string | undefined }[],
): PartState[] {
  const own = new Set(heldParts(parts, models));
  return parts.filter((part) => holdsRows(part) && !own.has(part));
}

/** Frees the rows of parts of these models that were planned, but never submitted. */
export function dropUnsentParts(
  store: PartStore,
  models: readonly { name: string | undefined }[],
): void {
  for (const part of heldParts(store.parts, models)) {
    if (part.phase !== "planned" && part.phase !== "uploaded") continue;
    store.release(
      store.log(part.part, {
        type: "dropped",
        why: "never submitted; its records are sent another way",
      }),
    );
  }
}

function named(parts: readonly PartState[]): string {
  const names = parts.slice(0, SHOWN_PARTS).map(({ part, job }) => job?.id ?? part);
  const more = parts.length - SHOWN_PARTS;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** The rows of parts, for messages. */
export function rowCount(parts: readonly PartState[]): string {
  return counted(parts.reduce((sum, { rows }) => sum + rows, 0), "row");
}

/**
 * Checks that a run does not send rows again that are at a provider, or exported.
 *
 * @throws {ConfigurationError} if it would
 */
export function checkHeldParts(
  held: readonly PartState[],
  output: string,
  mode: SendingMode,
  namesModels: boolean,
): void {
  const exported = held.filter(({ phase }) => phase === "exported");
  const submitted = held.filter(({ phase }) => phase !== "exported");
  const file = quoted(output);
  if ((mode.via === "live" || mode.via === "export") && submitted.length > 0) {
    const [is, them] = submitted.length === 1 ? ["is", "it"] : ["are", "them"];
    throw new ConfigurationError(
      `${counted(submitted.length, "part")} of ${output} ${is} at the provider ` +
        `(${rowCount(submitted)}): ${named(submitted)}`,
      {
        hint: mode.via === "live"
          ? `Add --via provider to collect ${them}, or cancel ${them}: flexllm batch cancel ${file}`
          : `Collect ${them} first with --via provider, or cancel ${them}: flexllm batch cancel ${file}`,
      },
    );
  }
  if (mode.via === "live" && exported.length > 0) {
    throw new ConfigurationError(
      `${counted(exported.length, "part")} of ${output} ` +
        `${exported.length === 1 ? "is" : "are"} exported (${rowCount(exported)})`,
      {
        hint:
          `Import the results with --import FILE, or give the files up: flexllm batch cancel ${file}`,
      },
    );
  }
  const unnamed = held.filter(({ requested_model }) => requested_model === undefined);
  if (namesModels && unnamed.length > 0) {
    throw new ConfigurationError(
      `${counted(unnamed.length, "part")} of ${output} ${unnamed.length === 1 ? "is" : "are"} ` +
        `from a run with a single model: ${named(unnamed)}`,
      { hint: "First collect the results: run the earlier command, with a single -m, again." },
    );
  }
}
