/**
 * Checks the events of a part log, which a user may have edited or a failing disk may have damaged.
 *
 * @module
 */
import { asObject, type Json } from "../../json/json.ts";
import type { PartEvent, PartState } from "./part_events.ts";
import { NONCE } from "./row_id.ts";

type FieldCheck = (value: unknown) => boolean;

const isText: FieldCheck = (value) => typeof value === "string" && value !== "";
const isString: FieldCheck = (value) => typeof value === "string";
const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isAmount: FieldCheck = (value) => Number.isFinite(value) && Number(value) >= 0;
const isCost: FieldCheck = (value) => value === null || isAmount(value);
const isJob: FieldCheck = (value) => {
  const job = asObject(value);
  if (!isText(job?.id) || !isText(job?.status)) return false;
  const { problems, counts } = job!;
  return (problems === undefined || Array.isArray(problems)) &&
    (counts === undefined || asObject(counts) !== undefined);
};

/** The fields without which an event cannot be used. */
const FIELDS: Readonly<Record<PartEvent["type"], Readonly<Record<string, FieldCheck>>>> = {
  planned: {
    api: isText,
    endpoint: isString,
    key: isString,
    model: isString,
    path: isString,
    rows: isCount,
    bytes: isCount,
    sha256: isText,
    prompt_tokens: (value) => value === undefined || isAmount(value),
    reserved: isCost,
  },
  uploaded: { uploaded: (value) => isText(asObject(value)?.file) },
  creating: { attempt: isCount },
  unknown: { error: isString },
  refused: { error: isString },
  submitted: { job: isJob },
  status: { job: isJob },
  cancelling: { why: isText },
  ended: { job: isJob },
  collected: { answered: isCount, failed: isCount, left: isCount, missing: isCount },
  dropped: { why: isString },
  abandoned: { why: isString },
  cleaned: {},
  exported: { file: isText },
};

/** Whether this version knows the type of an event. */
export function isKnownEvent({ type }: Json): boolean {
  return typeof type === "string" && Object.hasOwn(FIELDS, type);
}

/** What is wrong with an event of a known type; `undefined` if it is valid. */
export function eventProblem(
  event: Json,
  parts: ReadonlyMap<string, PartState>,
): string | undefined {
  const { type, part, at } = event;
  if (typeof part !== "string" || !NONCE.test(part)) return 'its "part" is not the name of a part';
  if (typeof at !== "string" || Number.isNaN(Date.parse(at))) return 'its "at" is not a time';
  for (const [name, isValid] of Object.entries(FIELDS[type as PartEvent["type"]])) {
    if (!isValid(event[name])) return `"${type}" has no valid "${name}"`;
  }
  const isPlanned = parts.has(part);
  if (type === "planned") return isPlanned ? `the part ${part} is planned twice` : undefined;
  return isPlanned ? undefined : `"${type}" of the part ${part}, which was never planned`;
}
