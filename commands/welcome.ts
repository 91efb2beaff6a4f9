/**
 * Shows the next steps when `flexllm` is run without arguments.
 *
 * @module
 */
import process from "node:process";
import { findConfigFile } from "../lib/files/paths.ts";

function isConfigured(): boolean {
  const { env } = process;
  if (env.FLEXLLM_BASE_URL || env.OPENAI_BASE_URL || env.OPENAI_API_KEY) return true;
  // A named file counts even if it does not exist: the command that reads it will report that.
  return !!env.FLEXLLM_CONFIG || findConfigFile(env, process.cwd(), undefined) !== undefined;
}

type Steps = readonly (readonly [command: string, purpose: string])[];

const FIRST_STEPS: Steps = [
  ["flexllm init", "set up provider, key and model"],
  ['flexllm "What is Python?" -m mock', "try it without an API key"],
];

const NEXT_STEPS: Steps = [
  ["flexllm test", "test the default model"],
  ['flexllm "What is Python?"', "send one prompt"],
  ["flexllm chat", "start a conversation"],
  ["flexllm batch questions.jsonl -o answers.jsonl", "send many, one per line"],
];

/** Formats each command next to its purpose; on a narrow terminal, above it. */
function lines(steps: Steps): string {
  const width = Math.max(...steps.map(([command]) => command.length));
  const fullWidth = Math.max(...steps.map(([, purpose]) => 2 + width + 2 + purpose.length));
  const isNarrow = process.stdout.isTTY && process.stdout.columns < fullWidth;
  return steps.map(([command, purpose]) =>
    isNarrow ? `  ${command}\n    ${purpose}\n` : `  ${command.padEnd(width)}  ${purpose}\n`
  ).join("");
}

/** Returns the text: what flexllm does, and commands to run next. */
export function welcome(): string {
  const [introduction, steps] = isConfigured()
    ? ["For example:", NEXT_STEPS] as const
    : ["Get started:", FIRST_STEPS] as const;
  return `flexllm sends any number of prompts to any LLM endpoint.

${introduction}

${lines(steps)}
flexllm --help lists all commands.
`;
}
