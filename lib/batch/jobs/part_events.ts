/**
 * Defines the log of a batch's parts (`OUT.parts/log.jsonl`): one JSON line for each step, synced to disk.
 *
 * A part is the input of one provider job. Steps that can fail halfway are logged before and after.
 *
 * @module
 */
import type { BatchApiName, Job, UploadedInput } from "../../batch_api/batch_api.ts";

/** A part and what will be sent, before anything is sent. */
export interface PlannedPart {
  /** See {@link JobInput.nonce}; also the name of the part. */
  part: string;
  /** The name of the model in the command; absent if the batch has only one. */
  requested_model?: string;
  /** `export` for files that the user takes elsewhere. */
  api: BatchApiName | "export";
  /** The base URL without secrets. */
  endpoint: string;
  /** See {@link JobClient.keyFingerprint}. */
  key: string;
  /** The model's id at the provider. */
  model: string;
  /** See {@link RowRequest.path}. */
  path: string;
  rows: number;
  /** Size of the input in bytes. */
  bytes: number;
  /** Of the input, in hexadecimal digits. */
  sha256: string;
  /** Estimated input tokens. */
  prompt_tokens: number;
  /** USD reserved at the batch price; `null` if the price is unknown. */
  reserved: number | null;
}

/** One step. `at` is ISO 8601 (UTC). */
export type PartEvent =
  & { part: string; at: string }
  & (
    | { type: "planned" } & PlannedPart
    | { type: "uploaded"; uploaded: UploadedInput }
    /** A create is about to be sent, for the `attempt`-th time (from 1). */
    | {
      type: "creating";
      attempt: number;
      /** The time by the provider's clock, as `at`; absent if it is unknown. */
      server_at?: string;
    }
    /** The create has no clear answer. */
    | { type: "unknown"; error: string }
    /** The create was certainly refused or never sent; it can be repeated. */
    | { type: "refused"; error: string; code?: string }
    /** The job exists. `adopted` if it was found afterwards, by `flexllm` or the user. */
    | { type: "submitted"; job: Job; adopted?: "found" | "user" }
    /** Its state or its counts have changed. */
    | { type: "status"; job: Job }
    | { type: "cancelling"; why: "user" | "deadline" }
    /** The state is final; collecting begins. */
    | { type: "ended"; job: Job }
    /** All results that exist are in the result file; `left` rows have to be sent again. */
    | {
      type: "collected";
      answered: number;
      failed: number;
      left: number;
      /** Of `left`: rows without any result. */
      missing: number;
      /** USD; `null` if unknown. */
      cost: number | null;
    }
    /** No job exists, and none will: its rows are free again. */
    | { type: "dropped"; why: string }
    /** The user gave up waiting for an unclear job: its rows are sent again, its reservation counts as spent. */
    | { type: "abandoned"; why: string }
    /** The provider's files are deleted. */
    | { type: "cleaned" }
    /** The input was written for the user to take elsewhere. */
    | { type: "exported"; file: string }
  );

/** Where a part is, derived from its events. */
export type PartPhase =
  | "planned"
  | "uploaded"
  | "creating"
  | "unknown"
  | "submitted"
  | "ended"
  | "collected"
  | "cleaned"
  | "dropped"
  | "abandoned"
  | "exported";

/** A part, from all of its events. */
export interface PartState extends PlannedPart {
  phase: PartPhase;
  /** When it was planned, submitted and changed last, in milliseconds since 1970. */
  plannedAt: number;
  submittedAt?: number;
  changedAt: number;
  /** How often a create was sent. */
  attempts: number;
  /** When the first create was sent. */
  creatingAt?: number;
  /** The same by the provider's clock, if it is known. */
  creatingServerAt?: number;
  uploaded?: UploadedInput;
  job?: Job;
  /** Who has found the job, if the create's answer did not name it. */
  adopted?: "found" | "user";
  /** Why it is being cancelled. */
  cancelling?: "user" | "deadline";
  /** The last problem: of an unclear create, a refusal, or a failed poll. */
  problem?: string;
  collected?: { answered: number; failed: number; left: number; missing: number };
}

/** Whether the rows of the part are, or may be, at the provider: they must not be sent again. */
export function holdsRows({ phase }: PartState): boolean {
  return phase !== "collected" && phase !== "cleaned" && phase !== "dropped" &&
    phase !== "abandoned";
}
