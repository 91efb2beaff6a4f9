/** Answers exported files as `vllm run-batch` does, and runs a batch that exports and imports. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Executor, IndexedRecord } from "../../../../lib/batch/executor.ts";
import type { BatchItem } from "../../../../lib/batch/items.ts";
import { Journal } from "../../../../lib/batch/journal/journal.ts";
import type { PartStore } from "../../../../lib/batch/jobs/part_store.ts";
import { openPartStore } from "../../../../lib/batch/jobs/open_part_store.ts";
import { BatchRun } from "../../../../lib/batch/run.ts";
import { LLMClient } from "../../../../lib/client/client.ts";
import { jobClientOf } from "../../../../lib/client/job_client.ts";
import { jsonLines } from "../../../support/temporary_folder.ts";

/** A request of an exported file. */
export interface ExportedRequest {
  custom_id: string;
  method: string;
  url: string;
  body: { model: string; messages: { role: string; content: string }[] };
}

/** The requests in all files of a folder. */
export function exportedRequests(folder: string): ExportedRequest[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return files.sort().flatMap((name) => jsonLines(readFileSync(join(folder, name), "utf8")));
}

/** The line that vLLM writes for an answered request. */
export function answerLine({ custom_id, body }: ExportedRequest): string {
  return JSON.stringify({
    id: "vllm-1",
    custom_id,
    response: {
      status_code: 200,
      request_id: "vllm-batch-1",
      body: {
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1,
        model: body.model,
        choices: [{
          index: 0,
          message: { role: "assistant", content: `echo ${body.messages.at(-1)?.content}` },
          finish_reason: "stop",
        }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      },
    },
    error: null,
  });
}

/**
 * The line that vLLM writes for a failed request.
 *
 * Source: vLLM, `vllm/entrypoints/openai/run_batch.py`, `run_request`.
 */
export function errorLine({ custom_id }: ExportedRequest, status: number, error: unknown): string {
  const response = { status_code: status, request_id: "vllm-batch-1", body: null };
  return JSON.stringify({ id: "vllm-1", custom_id, response, error });
}

/** A client that can only export and import. */
export function offlineClient(model = "m") {
  const client = new LLMClient({ baseUrl: "http://127.0.0.1:1/v1", model });
  return jobClientOf(client, {}, { offline: true });
}

/** The surroundings of an executor. */
export interface Surroundings {
  store: PartStore;
  isDone: (index: number) => boolean;
}

/** Runs a batch with a result file. Returns its items. */
export async function runBatch(
  output: string,
  records: readonly IndexedRecord[],
  executorOf: (surroundings: Surroundings) => Executor,
): Promise<BatchItem[]> {
  const journal = await Journal.open(output);
  try {
    using store = await openPartStore(output);
    const isDone = (index: number) => journal.state(index) === "success";
    const run = new BatchRun(executorOf({ store, isDone }), { journal });
    return (await Array.fromAsync(run.items(records))).flat();
  } finally {
    journal.close();
  }
}
