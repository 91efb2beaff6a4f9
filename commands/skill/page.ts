/**
 * Builds the skill for coding agents: a `SKILL.md` in the Agent Skills format (agentskills.io).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { VERSION } from "../../lib/version.ts";
import { type CommandEntry, loadCommand } from "../command_entry.ts";
import { EXIT } from "../exit_codes.ts";
import {
  BATCH_EXAMPLES,
  type CommandExample,
  PROGRAM_EXAMPLES,
  PROMPT_EXAMPLES,
  SETUP_EXAMPLES,
  TEMPLATE_EXAMPLES,
} from "./examples.ts";

/** The name of the skill, and of its folder, as the format requires. */
export const SKILL_NAME = "flexllm";

/** When agents should use the skill; at most 1024 characters. */
const DESCRIPTION =
  "Send prompts to LLM APIs from the command line or TypeScript with flexllm: single " +
  "prompts, chats, and resumable batches (live, or at half price through batch APIs) over JSONL, JSON, text, CSV and Parquet files or folders of " +
  "images and documents, with structured answers, cost estimates, budgets, rate limits, a response " +
  "cache, several models and several servers. Use it to label, extract, translate, summarize or " +
  "generate text for many records, to describe pictures, to call OpenAI-compatible, Claude or Gemini " +
  "models, to continue an interrupted batch, or to test an application against a mock LLM server or " +
  "recorded traffic.";

/** The flags that agents need, by command. Their descriptions come from the commands. */
const FLAGS: readonly [command: string, flags: readonly string[]][] = [
  ["ask", ["--model", "--system", "--file", "--as", "--var", "--schema", "--json", "--max-tokens"]],
  ["batch", [
    ...["--output", "--model", "--system", "--template", "--as", "--schema", "--concurrency"],
    ...["--max-qps", "--max-tokens", "--budget", "--estimate", "--limit", "--skip-invalid"],
    ...["--rerun-changed", "--cache", "--json", "--quiet", "--via", "--no-wait", "--deadline"],
    "--then",
  ]],
  ["mock", [
    "--port",
    "--delay",
    "--error-rate",
    "--seed",
    "--batch-duration",
    "--record",
    "--replay",
  ]],
];

const EXIT_MEANINGS: readonly [code: number, meaning: string][] = [
  [EXIT.ok, "success"],
  [EXIT.usage, "could not start or continue: bad usage, configuration, input or key"],
  [EXIT.failed, "a request failed, or a batch has failed records"],
  [EXIT.budget, "a batch stopped at its budget"],
  [EXIT.submitted, "submitted to a provider's batch API and not finished; rerun to collect"],
  [EXIT.interrupted, "interrupted; rerun the command to resume"],
];

function commandBlock(examples: readonly CommandExample[]): string {
  const lines = examples.map(({ purpose, command }) => `# ${purpose}\n${command}`);
  return `\`\`\`sh\n${lines.join("\n")}\n\`\`\``;
}

/** Lists commands, or flags, with their descriptions. */
function list(rows: readonly (readonly [name: string, description: string])[]): string {
  return rows.map(([name, description]) => `- \`${name}\`: ${description}`).join("\n");
}

/** The flags of a command with their descriptions. */
async function flagList(
  commands: readonly CommandEntry[],
  name: string,
  flags: readonly string[],
): Promise<string> {
  const entry = commands.find((command) => command.name === name)!;
  const { options } = await loadCommand(entry, commands);
  return list(flags.map((flag) => {
    const option = options.find(({ long }) => long === flag);
    if (option === undefined) throw new Error(`flexllm ${name} has no flag ${flag}`);
    return [option.flags, option.description];
  }));
}

/** The skill without its front matter. */
async function body(commands: readonly CommandEntry[]): Promise<string> {
  const visible = commands.filter(({ hidden }) => !hidden);
  const flags = await Promise.all(
    FLAGS.map(async ([name, names]) =>
      `Frequent flags of \`flexllm ${name}\`:\n\n${await flagList(commands, name, names)}`
    ),
  );
  const programs = PROGRAM_EXAMPLES.map(({ purpose, code }) =>
    `${purpose}:\n\n\`\`\`ts\n${code}\n\`\`\``
  );
  return `# flexllm

Results go to stdout, everything else to stderr. \`flexllm COMMAND --help\` lists all flags. Requests
cost money: estimate a batch first, try it with \`--limit\`, and set \`--budget\`. The model \`mock\` is
built in, free and needs no key (\`-m mock\`); use it to check commands and code.

## Models and keys

Without \`-m\`, the model is \`FLEXLLM_MODEL\` or the default of the configuration
(\`flexllm config path\`). \`-m NAME\` takes a configured model; with \`--base-url URL\`, any model of that
server. Keys come from the configuration, from the variable of the service, such as
\`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\` or \`GEMINI_API_KEY\`, or from \`flexllm keys set NAME\`, which
the user runs. Never put a key on the command line.

${commandBlock(SETUP_EXAMPLES)}

## One prompt

${commandBlock(PROMPT_EXAMPLES)}

## Many prompts

The input is JSONL, JSON, text (one prompt per line), CSV, TSV or Parquet, also compressed. A record has
\`messages\`, or \`q\`, \`question\` or \`prompt\` (and optionally \`system\`), or any fields if
\`--template\` inserts them as \`{{field}}\`. A folder or pattern of images, PDFs or documents is an
input in which each file is a record. Fields such as \`model\`, \`temperature\` and \`max_tokens\` apply
to that record, and all others are copied to \`metadata\`.

${commandBlock(BATCH_EXAMPLES)}

Each line of the result file has \`index\` (the record's position in the input), \`status\` (\`success\`
or \`error\`), \`output\` (the answer), \`error\`, \`metadata\`, \`parsed\` (with \`--schema\`), \`model\`,
\`usage\` and \`cost\`. The file is written as answers arrive and sorted by \`index\` at the end. Never
edit it during a run. Rerunning the command sends only what is missing or failed; for a different
prompt, use another output file.

With \`--redis URL\` or \`FLEXLLM_REDIS_URL\`, machines that run \`flexllm worker\` send records of the
same batch, and all of them keep to its limits and budget together. \`flexllm worker status\` shows
them.

With \`--via provider\`, the command waits for the provider's jobs. \`--no-wait\` submits them and exits
with code 5; run the same command again later, without \`--no-wait\`, to collect the answers. Nothing is
submitted twice.

## Schemas

\`--schema\` takes a file, a JSON Schema, or a list of fields:

\`\`\`text
name, age int, score float, ok bool, tags [string], people [{name, age int}],
address {street, city}, mood (good|bad), nickname?, height int: in centimeters
\`\`\`

The type is a string by default, \`?\` allows null, and a description follows a colon.

## Saved prompts

${commandBlock(TEMPLATE_EXAMPLES)}

## Exit codes

${list(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]))}

## Commands

${list(visible.map(({ name, description }) => [`flexllm ${name}`, description]))}

${flags.join("\n\n")}

## Testing an application

\`flexllm mock -p 8001\` serves the APIs of OpenAI, Claude and Gemini on one port. Point the application
at \`http://127.0.0.1:8001/v1\` with any key. It can be slow and fail on purpose; see its flags above.
\`flexllm mock --record URL FILE\` passes requests on to a real server and records them, and
\`--replay FILE\` answers from the recording, offline.

## TypeScript

The package is \`@flexllm/flexllm\` on JSR and \`flexllm\` on npm, for Deno, Bun 1.4 and Node 22.13 or later.
Times are in seconds. Use one client per program, and close it (\`await using\`, or \`close()\`): it holds
the limits and the cache. Other providers: \`provider: "openai" | "claude" | "gemini"\`, or \`baseUrl\`.

${programs.join("\n\n")}
`;
}

/** The digest that tells an unchanged file of another version from one that the user changed. */
function digestOf(text: string): string {
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex").slice(0, 16);
}

/** The front matter. All values are plain YAML. */
function frontMatter(digest: string): string {
  return `---
name: ${SKILL_NAME}
description: "${DESCRIPTION}"
license: MIT
metadata:
  version: "${VERSION}"
  digest: "${digest}"
---

`;
}

/** The text of `SKILL.md`. `commands` is the registry. */
export async function skillPage(commands: readonly CommandEntry[]): Promise<string> {
  const text = await body(commands);
  return frontMatter(digestOf(text)) + text;
}

/** Whether `page` is a skill of any version, as it was written. */
export function isUnchanged(page: string): boolean {
  const [, digest, text] =
    /^---\r?\n[^]*?^ {2}digest: "(\w+)"\r?\n---\r?\n\r?\n([^]*)$/m.exec(page) ?? [];
  return text !== undefined && digestOf(text) === digest;
}
