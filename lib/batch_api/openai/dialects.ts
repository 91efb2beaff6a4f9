/**
 * Lists how services differ from OpenAI's batch API, one row of data each.
 *
 * Sources: each service's own page about its batch API, as of November 2026.
 *
 * @module
 */
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchLimits } from "../batch_api.ts";
import type { Retention } from "./job.ts";

/** What one service does. */
export interface Dialect extends Retention {
  limits: BatchLimits;
  /** The operations that rows can have; see {@link RowRequest.path}. */
  paths: readonly string[];
  /** The path of an operation in rows and in the job. @default `/v1` and the path */
  endpoint?(path: string): string;
  /** Seconds between polls. */
  poll: { first: number; longest: number };
  /** How the list of jobs is continued. @default "after", the id of the last job */
  paging?: "after" | "cursor";
}

const MB = 1_000_000;
const CHAT = ["/chat/completions"];
const CHAT_AND_RESPONSES = ["/chat/completions", "/responses"];
const POLL = { first: 15, longest: 300 };
/** Live jobs, where the service names no limit. */
const JOBS = 10;

/** A server that imitates OpenAI's API, such as LiteLLM: the stricter of what is usual. */
const UNKNOWN: Dialect = {
  limits: { rows: 50_000, bytes: 100 * MB, jobs: JOBS },
  paths: CHAT_AND_RESPONSES,
  poll: POLL,
};

/** The dialects, by the name of the service. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  openai: {
    limits: { rows: 50_000, bytes: 200 * MB, jobs: JOBS },
    paths: CHAT_AND_RESPONSES,
    poll: POLL,
    resultDays: 30,
  },
  // Chat Completions are without a version here. Jobs continue after the window of 24 hours.
  azure: {
    limits: { rows: 100_000, bytes: 200 * MB, jobs: JOBS },
    paths: CHAT_AND_RESPONSES,
    endpoint: (path) => path === "/chat/completions" ? path : `/v1${path}`,
    poll: { first: 60, longest: 300 },
    neverExpires: true,
  },
  // Allows 50,000 rows and advises about 1,000, which expire less often.
  groq: {
    limits: { rows: 1000, bytes: 100 * MB, jobs: JOBS },
    paths: CHAT,
    poll: POLL,
    paging: "cursor",
    resultDays: 30,
  },
  siliconflow: {
    limits: { rows: 5000, bytes: 1000 * MB, jobs: JOBS },
    paths: CHAT,
    poll: POLL,
    resultDays: 30,
  },
  // Alibaba Cloud Model Studio, "Batch inference".
  qwen: {
    limits: { rows: 50_000, bytes: 500 * MB, rowBytes: 6 * MB, jobs: JOBS },
    paths: CHAT,
    poll: POLL,
  },
  moonshot: { ...UNKNOWN, paths: CHAT },
  novita: { ...UNKNOWN, paths: CHAT },
  cerebras: { ...UNKNOWN, limits: { rows: 50_000, bytes: 200 * MB, jobs: JOBS }, paths: CHAT },
};

/** The dialect of an endpoint. */
export function dialectOf({ service, openaiModelsOnly }: Endpoint): Dialect {
  // A private server that was only named after OpenAI.
  if (service === undefined || openaiModelsOnly) return UNKNOWN;
  return DIALECTS[service.name] ?? UNKNOWN;
}
