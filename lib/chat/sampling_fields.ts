/**
 * The sampling options under their names in configuration files and saved conversations.
 *
 * @module
 */
import type { SamplingOptions, Thinking } from "./options.ts";

/** The options that control sampling. `tools`, `responseFormat` and `extraBody` are not among them. */
export type Sampling = Pick<
  SamplingOptions,
  | "temperature"
  | "topP"
  | "topK"
  | "maxTokens"
  | "thinking"
  | "stop"
  | "seed"
  | "presencePenalty"
  | "frequencyPenalty"
>;

/** Sampling options in a file. `null` and absent fields set nothing. */
export interface SamplingFields {
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  max_tokens?: number | null;
  thinking?: Thinking | null;
  stop?: string | readonly string[] | null;
  seed?: number | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
}

const FIELDS = [
  ["temperature", "temperature"],
  ["topP", "top_p"],
  ["topK", "top_k"],
  ["maxTokens", "max_tokens"],
  ["thinking", "thinking"],
  ["stop", "stop"],
  ["seed", "seed"],
  ["presencePenalty", "presence_penalty"],
  ["frequencyPenalty", "frequency_penalty"],
] as const satisfies readonly (readonly [keyof Sampling, keyof SamplingFields])[];

/** Converts fields of a file to options. */
export function samplingFromFields(fields: SamplingFields): Sampling {
  return Object.fromEntries(
    FIELDS.map(([option, field]) => [option, fields[field]])
      .filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Converts options to fields of a file. Other properties of `options` are ignored. */
export function samplingToFields(options: Sampling): SamplingFields {
  return Object.fromEntries(
    FIELDS.map(([option, field]) => [field, options[option]])
      .filter(([, value]) => value !== undefined),
  );
}
