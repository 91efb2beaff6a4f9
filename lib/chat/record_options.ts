/**
 * The options that a record of a batch can override, and their names in files.
 *
 * @module
 */
import { withExtraBody } from "./extra_body.ts";
import type { AnyResponseFormat, SamplingOptions } from "./options.ts";

/** The options that a record overrides. */
export type RecordOptions = SamplingOptions & { model?: string };

/** The names of the options in input and result files: OpenAI's, if it has them. */
export const WIRE_NAMES: Readonly<Record<keyof RecordOptions, string>> = {
  model: "model",
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  thinking: "thinking",
  maxTokens: "max_tokens",
  stop: "stop",
  seed: "seed",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  tools: "tools",
  toolChoice: "tool_choice",
  parallelToolCalls: "parallel_tool_calls",
  responseFormat: "response_format",
  extraBody: "extra_body",
};

/** The options under their names in files; `undefined` if there are none. */
export function wireOptions(
  options: RecordOptions | undefined,
): Record<string, unknown> | undefined {
  if (options === undefined) return undefined;
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
    .map(([name, value]) => [WIRE_NAMES[name as keyof RecordOptions] ?? name, value]);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

const OPTION_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(WIRE_NAMES).map(([option, name]) => [name, option]),
);

/** The options of {@link wireOptions}, under the names of the library. */
export function optionsOfWire(fields: Record<string, unknown>): RecordOptions {
  const options = Object.entries(fields).map((
    [name, value],
  ) => [OPTION_NAMES[name] ?? name, value]);
  return Object.fromEntries(options);
}

/** The options of a batch, overridden by those of one record. */
export function withRecordOptions<T extends SamplingOptions<AnyResponseFormat>>(
  batch: T,
  record: RecordOptions,
): T {
  const given = Object.entries(record).filter(([, value]) => value !== undefined);
  const merged: T = { ...batch, ...Object.fromEntries(given) };
  if (batch.extraBody !== undefined && record.extraBody !== undefined) {
    merged.extraBody = withExtraBody(batch.extraBody, record.extraBody);
  }
  return merged;
}
