/**
 * Finds the clients for the parts of a result file, without the command that submitted them.
 *
 * @module
 */
import type { JobClient } from "../../../lib/batch/jobs/job_client.ts";
import type { PartState } from "../../../lib/batch/jobs/part_events.ts";
import type { RequestTemplate } from "../../../lib/batch/executors/live.ts";
import type { LLMClient } from "../../../lib/client/client.ts";
import type { ClientOptions } from "../../../lib/client/client_options.ts";
import { jobClientOf } from "../../../lib/client/job_client.ts";
import type { Config } from "../../../lib/config/load.ts";
import { nameOf } from "../../../lib/config/models.ts";
import type { ModelFlags } from "../../../lib/config/resolve_model.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import { connectEndpoint, connectModel, type ModelConnection } from "../../connect.ts";

/** A client for a part. */
export interface PartClient {
  client: LLMClient;
  jobs: JobClient;
  /** The part's model with its default options. */
  request: RequestTemplate;
}

type Part = Pick<PartState, "api" | "endpoint" | "key" | "model" | "requested_model">;

/** Finds clients by the endpoint and the key of a part; each is created once. */
export class PartClients {
  readonly #config: Config;
  readonly #flags: ModelFlags;
  readonly #settings: Omit<ClientOptions, "model">;
  readonly #found = new Map<string, PartClient>();

  /**
   * @param flags what the command line says about models, servers and keys
   * @param settings the settings of the clients
   */
  constructor(config: Config, flags: ModelFlags, settings: Omit<ClientOptions, "model"> = {}) {
    this.#config = config;
    this.#flags = flags;
    this.#settings = settings;
  }

  /**
   * The client for a part: from the flags, from the configuration, or for its server with that server's key.
   *
   * @throws {ConfigurationError} if there is none with the part's key
   */
  find(part: Part): PartClient {
    const id = JSON.stringify([
      part.api,
      part.endpoint,
      part.key,
      part.model,
      part.requested_model,
    ]);
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const found = this.#search(part);
    this.#found.set(id, found);
    return found;
  }

  /** Closes all clients. */
  async close(): Promise<void> {
    await Promise.all([...this.#found.values()].map(({ client }) => client.close()));
  }

  #search(part: Part): PartClient {
    let hasOtherKey = false;
    let problem: unknown;
    for (const connect of this.#candidates(part)) {
      let found: PartClient | undefined;
      try {
        const { client, options } = connect();
        const request = { ...options, model: part.model };
        found = { client, jobs: jobClientOf(client, request), request };
      } catch (error) {
        problem ??= error;
        continue;
      }
      if (found.jobs.endpoint === part.endpoint && found.jobs.api.name === part.api) {
        if (found.jobs.keyFingerprint === part.key) return found;
        hasOtherKey = true;
      }
      void found.client.close();
    }
    if (hasOtherKey) {
      throw new ConfigurationError(
        `the configured key for ${part.endpoint} is not the one that submitted the jobs`,
        {
          hint:
            "Pass the key that submitted them with --api-key, or set the variable of the service.",
        },
      );
    }
    throw new ConfigurationError(`no key or model is configured for ${part.endpoint}`, {
      cause: problem,
      hint: "Pass the same -m, --base-url and --api-key as the command that submitted the jobs.",
    });
  }

  /** Ways to connect, the likeliest first. */
  *#candidates(part: Part): Generator<() => ModelConnection, void, void> {
    const flags = this.#flags;
    const by = (more: ModelFlags) => () =>
      connectModel(this.#config, { ...flags, ...more }, this.#settings);
    const { models = [], batch } = this.#config.value;
    if (part.requested_model !== undefined) yield by({ model: part.requested_model });
    for (const entry of models ?? []) {
      if (entry.id === part.model) yield by({ model: nameOf(entry) });
    }
    for (const [i, entry] of (batch?.endpoints ?? []).entries()) {
      if (entry.model === part.model) yield () => connectEndpoint(this.#config, i, 60);
    }
    yield by({ model: flags.model ?? part.model });
    yield by({});
    yield by({ model: part.model, baseUrl: flags.baseUrl ?? part.endpoint });
    // The built-in mock needs no key, and its name is enough to find it.
    if (part.model === "mock") yield by({ model: "mock", baseUrl: undefined });
  }
}
