/**
 * Defines the sampling options in a configuration file, which models, templates and batches share.
 *
 * @module
 */
import * as v from "valibot";
import { THINKING_LEVELS } from "../chat/options.ts";
import { describe, integer, nonNegative, text } from "./schema_values.ts";

const anyNumber = v.number("expected a number");
const anyInteger = v.pipe(
  v.number("expected an integer"),
  v.safeInteger("expected an integer"),
);

/** The fields of `options`, and those of `batch` with the same names. */
export const samplingEntries = {
  temperature: v.nullish(
    describe("Sampling temperature; default the model's own.", nonNegative),
  ),
  top_p: v.nullish(describe("Nucleus sampling; default the model's own.", nonNegative)),
  top_k: v.nullish(describe("Top-k sampling, where supported.", integer(1))),
  max_tokens: v.nullish(
    describe("Maximum tokens per answer; default the model's own.", integer(1)),
  ),
  thinking: v.nullish(
    describe(
      "Reasoning effort: true or false, a level, or a number of tokens; default the model's own.",
      v.union(
        [v.boolean(), v.picklist(THINKING_LEVELS), integer(1)],
        `expected true, false, ${THINKING_LEVELS.join(", ")} or a number of tokens`,
      ),
    ),
  ),
  stop: v.nullish(
    describe(
      "A text that ends the answer, or a list of them.",
      v.union(
        [text, v.pipe(v.array(text), v.minLength(1))],
        "expected a string or a list of strings",
      ),
    ),
  ),
  seed: v.nullish(describe("Seed for reproducible answers, where supported.", anyInteger)),
  presence_penalty: v.nullish(
    describe("From -2 to 2; positive values make new topics more likely.", anyNumber),
  ),
  frequency_penalty: v.nullish(
    describe("From -2 to 2; positive values make repetition less likely.", anyNumber),
  ),
};

/** `options` of a model or template. */
export const samplingOptions = v.strictObject(
  samplingEntries,
  "expected sampling options, such as temperature and max_tokens",
);
