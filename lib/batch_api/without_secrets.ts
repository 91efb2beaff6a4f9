/**
 * Keeps secrets that a server repeats out of what is shown and stored of its jobs.
 *
 * @module
 */
import { FlexLLMError } from "../errors.ts";
import { redact } from "../redact.ts";
import type { BatchApi, Job } from "./batch_api.ts";

/** A job whose texts contain none of the `secrets`. What identifies it, and its state, stay as they are. */
function shownJob(job: Job, secrets: readonly string[]): Job {
  const { nativeStatus, problems } = job;
  if (nativeStatus === undefined && problems === undefined) return job;
  return {
    ...job,
    nativeStatus: nativeStatus && redact(nativeStatus, ...secrets),
    problems: problems?.map((problem) => ({
      ...problem,
      message: redact(problem.message, ...secrets),
      code: problem.code && redact(problem.code, ...secrets),
    })),
  };
}

/**
 * An API whose jobs and errors show none of the `secrets`.
 *
 * Answers are redacted only after they have been read: any of the user's headers may hold a secret, and its
 * value may be a word of the protocol such as `completed`, or a part of an id.
 */
export function withoutSecrets(api: BatchApi, secrets: readonly string[]): BatchApi {
  const shown = (job: Job) => shownJob(job, secrets);
  const safe: Partial<BatchApi> = {
    create: async (http, input) => shown(await api.create(http, input)),
    find: async (http, input, since) => (await api.find(http, input, since)).map(shown),
    get: async (http, id) => shown(await api.get(http, id)),
    upload: api.upload && (async (http, input) => {
      try {
        return await api.upload!(http, input);
      } catch (error) {
        // It may quote why the server refused the file.
        if (error instanceof FlexLLMError) error.message = redact(error.message, ...secrets);
        throw error;
      }
    }),
  };
  return new Proxy(api, {
    get(target, name) {
      if (Object.hasOwn(safe, name)) return safe[name as keyof BatchApi];
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
