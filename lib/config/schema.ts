/**
 * Defines the schema of the configuration file, which is compatible with the Python tool's.
 *
 * @module
 */
import * as v from "valibot";
import { STORE_NAMES } from "../cache/open_store.ts";
import { batch } from "./batch_schema.ts";
import { redis } from "./redis_schema.ts";
import { samplingOptions } from "./sampling_schema.ts";
import { describe, flag, nonNegative, text } from "./schema_values.ts";
import { serve } from "./serve_schema.ts";
import { type endpoint, extraBody, model } from "./server_schema.ts";

const cacheSettings = v.strictObject({
  ttl: v.optional(
    describe(
      "Lifetime of cached responses in seconds, 0 for no expiry; default 86400 (one day).",
      nonNegative,
    ),
  ),
  store: v.optional(
    describe(
      "Storage backend; default `auto`: Redis if `redis` names a server, else Deno KV if the runtime has it, " +
        "else SQLite.",
      v.picklist(STORE_NAMES, `expected one of ${STORE_NAMES.join(", ")}`),
    ),
  ),
  path: v.optional(
    describe(
      "A file, or the URL of a server: `redis://`, `rediss://`, or `https://` for KV Connect; default a file " +
        "in `~/.flexllm`, or the server of `redis`.",
      text,
    ),
  ),
  namespace: v.optional(describe("Separates caches that share a store.", text)),
}, "expected true, false, or ttl, store, path and namespace");

const TEMPLATE_FIELDS = "expected a string, or fields such as prompt, system and model";

const templateFields = v.strictObject({
  description: v.optional(describe("What it is for, as `flexllm template list` shows it.", text)),
  prompt: v.optional(
    describe(
      "The prompt. `{{input}}` is replaced with the prompt that the template is applied to (without it, " +
        "that prompt is appended), and `{{name}}` or `{{name=default}}` with the value of `--var name=…`. " +
        "A template without a prompt is a role.",
      text,
    ),
  ),
  system: v.optional(describe("The system prompt, with placeholders as in `prompt`.", text)),
  model: v.optional(describe("The model, as for `-m`.", text)),
  options: v.optional(
    describe(
      "Sampling options, by their names in `batch`, such as `temperature`.",
      samplingOptions,
    ),
  ),
  extra_body: extraBody,
  schema: v.optional(
    describe(
      "The schema of the answer, as for `--schema`: a JSON Schema, a list of fields such as " +
        "`name, age int`, or a file, relative to the configuration.",
      v.union(
        [text, v.record(v.string(), v.unknown())],
        "expected a JSON Schema, a list of fields, or a file",
      ),
    ),
  ),
}, TEMPLATE_FIELDS);

const template = v.union([
  text,
  v.pipe(
    templateFields,
    v.check(
      ({ description: _, ...fields }) => Object.values(fields).some((value) => value !== undefined),
      "expected at least one of prompt, system, model, options, extra_body and schema",
    ),
  ),
], TEMPLATE_FIELDS);

/** The schema of the whole file. */
export const configSchema = v.strictObject({
  default: v.nullish(
    describe(
      "The default model: the `name` or `id` of an entry of `models`; without it, the first one.",
      text,
    ),
  ),
  models: v.nullish(
    describe("Models that `-m` can select by name.", v.array(model, "expected a list of models")),
  ),
  cache: v.nullish(
    describe(
      "The response cache: true, false, or its settings; `batch.cache` overrides it for batches. " +
        "Default false.",
      v.union([v.boolean(), cacheSettings], "expected true, false, or settings"),
    ),
  ),
  redis: v.nullish(
    describe(
      "The Redis or Valkey server through which processes share the cache, limits, budgets and batches: " +
        "a URL, or its settings.",
      redis,
    ),
  ),
  allow_private_urls: v.nullish(
    describe(
      "Allow downloading images and files from this machine and the local network; default false.",
      flag,
    ),
  ),
  save_conversations: v.nullish(
    describe(
      "Save the conversations of `ask` and `chat`, which `--save` and `--no-save` override; default true.",
      flag,
    ),
  ),
  batch: v.nullish(describe("Settings of `flexllm batch`; its flags override them.", batch)),
  serve: v.nullish(describe("Settings of `flexllm serve`; its flags override them.", serve)),
  templates: v.nullish(
    describe(
      "Saved prompts and roles, for `--as`; `flexllm template` manages them.",
      v.record(v.string(), template, "expected name: text pairs"),
    ),
  ),
}, "expected default, models, batch, serve and templates");

/** A whole configuration. */
export type ConfigValue = v.InferOutput<typeof configSchema>;
/** An entry of `models`. */
export type ModelEntry = v.InferOutput<typeof model>;
/** An entry of `batch.endpoints`. */
export type EndpointEntry = v.InferOutput<typeof endpoint>;
/** A template that is not just its prompt. */
export type TemplateFields = v.InferOutput<typeof templateFields>;
/** The section `batch`. */
export type BatchSection = v.InferOutput<typeof batch>;

/** The section `serve`. */
export type ServeSection = v.InferOutput<typeof serve>;

/** Fields of the Python tool's `batch` section that are ignored with a warning. */
export const IGNORED_BATCH_FIELDS: readonly string[] = ["preprocess_msg"];
