/**
 * Defines the flags that control sampling, for every command that sends prompts.
 *
 * @module
 */
import { type Command, Option, type OptionValues } from "@commander-js/extra-typings";
import { THINKING_LEVELS } from "../../lib/chat/options.ts";
import type { Sampling } from "../../lib/chat/sampling_fields.ts";
import type { Json } from "../../lib/json/json.ts";
import { extraBodyFlag } from "./extra_body.ts";
import { HELP_GROUPS } from "./help_groups.ts";
import { anyInteger, collectText, integer, numberWithin, thinkingLevel } from "./parse.ts";

function option<Flags extends string>(flags: Flags, description: string) {
  return new Option(flags, description).helpGroup(HELP_GROUPS.sampling);
}

/** The flags. */
export const samplingFlags = {
  temperature: option("-t, --temperature <number>", "sampling temperature, 0 to 2")
    .argParser(numberWithin(0, 2)),
  topP: option("--top-p <number>", "nucleus sampling, 0 to 1").argParser(numberWithin(0, 1)),
  topK: option("--top-k <count>", "sample only from the most likely tokens, where supported")
    .argParser(integer(1)),
  maxTokens: option("--max-tokens <count>", "maximum tokens per answer").argParser(integer(1)),
  thinking: option(
    "--thinking <level>",
    `reasoning effort: on, off, ${THINKING_LEVELS.join(", ")}, or a number of tokens`,
  ).argParser(thinkingLevel),
  stop: option("--stop <text>", "text that ends the answer (repeatable)").argParser(collectText),
  seed: option("--seed <number>", "seed for reproducible answers, where supported")
    .argParser(anyInteger),
  presencePenalty: option("--presence-penalty <number>", "-2 to 2; positive: more new topics")
    .argParser(numberWithin(-2, 2)),
  frequencyPenalty: option("--frequency-penalty <number>", "-2 to 2; positive: less repetition")
    .argParser(numberWithin(-2, 2)),
} as const;

/** Adds the flags and `--extra-body` to a command that sends prompts. */
export function addSamplingFlags<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & Sampling & { extraBody?: Json }> {
  for (const flag of [...Object.values(samplingFlags), extraBodyFlag]) command.addOption(flag);
  return command as unknown as Command<A, O & Sampling & { extraBody?: Json }>;
}

/** The sampling options among the parsed flags. */
export function samplingOf(flags: Sampling): Sampling {
  const names = Object.keys(samplingFlags) as (keyof Sampling)[];
  return Object.fromEntries(
    names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]),
  );
}
