/**
 * What `flexllm` says without arguments.
 *
 * @module
 */
import process from "node:process";
import { findConfigFile } from "../lib/files/paths.ts";

function isConfigured(): boolean {
  const { env } = process;
  if (env.FLEXLLM_BASE_URL || env.OPENAI_BASE_URL || env.OPENAI_API_KEY) return true;
  // A file that was named is one, even if it is not there: the command that reads it will say so.
  return !!env.FLEXLLM_CONFIG || findConfigFile(env, process.cwd(), undefined) !== undefined;
}

type Steps = readonly (readonly [command: string, what: string])[];

const FIRST_STEPS: Steps = [
  ["flexllm init", "set up provider, key and model"],
  ['flexllm ask "What is Python?" -m mock', "try it without a key"],
];

const NEXT_STEPS: Steps = [
  ["flexllm test", "test the default model"],
  ['flexllm ask "What is Python?"', "ask one question"],
  ["flexllm chat", "have a conversation"],
  ["flexllm batch questions.jsonl -o answers.jsonl", "ask many, one a line"],
];

/** The steps side by side with what they do; on a narrow terminal one above the other. */
function lines(steps: Steps): string {
  const width = Math.max(...steps.map(([command]) => command.length));
  const whole = Math.max(...steps.map(([, what]) => 2 + width + 2 + what.length));
  const isNarrow = process.stdout.isTTY && process.stdout.columns < whole;
  return steps.map(([command, what]) =>
    isNarrow ? `  ${command}\n    ${what}\n` : `  ${command.padEnd(width)}  ${what}\n`
  ).join("");
}

/** A short welcome that names the next step. */
export function welcome(): string {
  const [introduction, steps] = isConfigured()
    ? ["For example:", NEXT_STEPS] as const
    : ["Begin with one of these:", FIRST_STEPS] as const;
  return `flexllm sends any number of prompts to any LLM endpoint.

${introduction}

${lines(steps)}
flexllm --help lists all commands.
`;
}
