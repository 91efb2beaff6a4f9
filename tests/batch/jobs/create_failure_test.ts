/** What a failed create means for its job. */
import assert from "node:assert/strict";
import { type CreateFailure, createFailure } from "../../../lib/batch/jobs/create_failure.ts";
import { HttpError } from "../../../lib/http_errors.ts";

Deno.test("a create that does not find its input is repeated, other refusals are not", () => {
  const cases: [status: number, message: string, failure: CreateFailure][] = [
    [400, "cannot find file file-abc", "later"],
    [404, "File files/abc not found.", "later"],
    [404, "dataset accounts/a/datasets/flexllm-0123456789 not found", "later"],
    [404, "Invalid URL (POST /v1/batches)", "fatal"],
    [400, "requests.0.custom_id: String should match pattern", "invalid"],
  ];
  for (const [status, message, failure] of cases) {
    const error = new HttpError(message, { status, providerMessage: message });
    assert.equal(createFailure(error, { foundBy: "file" }), failure, message);
  }
});
