/**
 * Fireworks' batch inference jobs, with datasets as input and output.
 *
 * Source: Fireworks documentation, "Batch API", "Create Dataset" and "Create Batch Inference Job" (November 2026).
 *
 * @module
 */
import { HttpError } from "../../http_errors.ts";
import { asObject, asText, parseExact, stringifyExact } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchApi, Job } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { labelOf } from "../job_fields.ts";
import { deleteIfExists, isNotFound } from "../read_json.ts";
import { encodeLine, rowProblem } from "../row_line.ts";
import { accountOf, accountUrl } from "./account.ts";
import { uploadDataset } from "./dataset.ts";
import { decodeJob } from "./job.ts";
import { readResults } from "./results.ts";

/** The body without the model, which the job names for all rows. */
function withoutModel(body: string): string {
  const fields = asObject(parseExact(body));
  if (fields === undefined) return body;
  const { model: _, ...rest } = fields;
  return stringifyExact(rest);
}

/** The batch API of Fireworks. */
export function fireworksBatchApi(endpoint: Endpoint): BatchApi {
  const url = (name: string) => accountUrl(endpoint, name);

  const get = async (http: BatchHttp, name: string): Promise<Job> =>
    decodeJob((await http.send({ method: "GET", path: url(name) })).json);

  return {
    name: "fireworks",
    foundBy: "id",
    // Datasets can be larger, but not if they are uploaded with a single request.
    limits: { rows: 50_000, bytes: 150_000_000, jobs: 10 },
    poll: { first: 15, longest: 300 },
    rowProblem: (row) => rowProblem(row, ["/chat/completions"]),
    encodeRow: (id, { body }) => encodeLine({ custom_id: id }, "body", withoutModel(body)),
    upload: (http, input) => uploadDataset(http, input, endpoint),

    async create(http, input) {
      const dataset = input.uploaded?.file ?? "";
      const account = accountOf(dataset);
      const label = labelOf(input.nonce);
      try {
        const { json } = await http.send({
          method: "POST",
          path: url(`${account}/batchInferenceJobs`),
          query: { batchInferenceJobId: label },
          json: {
            displayName: label,
            model: input.model,
            inputDatasetId: dataset,
            outputDatasetId: `${account}/datasets/${label}-results`,
          },
        });
        return decodeJob(json);
      } catch (error) {
        // An earlier create had been successful: nobody else has this id.
        if (!(error instanceof HttpError) || error.status !== 409) throw error;
        return await get(http, `${account}/batchInferenceJobs/${label}`);
      }
    },

    async find(http, input) {
      const account = accountOf(input.uploaded?.file ?? "");
      try {
        return [await get(http, `${account}/batchInferenceJobs/${labelOf(input.nonce)}`)];
      } catch (error) {
        if (isNotFound(error)) return [];
        throw error;
      }
    },

    get,
    results: (http, job, parse) => readResults(http, job, parse, endpoint),

    async clean(http, job, uploaded) {
      const datasets = [uploaded?.file ?? job.inputFile, asText(job.output?.dataset)];
      for (const name of datasets) {
        if (name !== undefined) await deleteIfExists(http, { path: url(name) });
      }
    },
  };
}
