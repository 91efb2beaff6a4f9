/**
 * What `flexllm` says without arguments.
 *
 * @module
 */
import process from "node:process";
import { findConfigFile } from "../lib/config/paths.ts";

function isConfigured(): boolean {
  const { env } = process;
  if (env.FLEXLLM_BASE_URL || env.OPENAI_BASE_URL || env.OPENAI_API_KEY) return true;
  // A file that was named is one, even if it is not there: the command that reads it will say so.
  return !!env.FLEXLLM_CONFIG || findConfigFile(env, process.cwd(), undefined) !== undefined;
}

const FIRST_STEPS = `Begin with one of these:

  flexllm init                                    set up a provider, its key and a model
  flexllm ask "What is Python?" -m mock           try it without a key
`;

const NEXT_STEPS = `For example:

  flexllm test                                    test the default model
  flexllm ask "What is Python?"                   ask one question
  flexllm batch questions.jsonl -o answers.jsonl  ask many
`;

/** A short welcome that names the next step. */
export function welcome(): string {
  return `flexllm sends any number of prompts to any LLM endpoint.

${isConfigured() ? NEXT_STEPS : FIRST_STEPS}
flexllm --help lists all commands.
`;
}
