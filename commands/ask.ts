/**
 * `flexllm ask`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import type { Message } from "../lib/chat/messages.ts";
import type { ChatResult } from "../lib/chat/result.ts";
import { InvalidInputError } from "../lib/errors.ts";
import { addExamples, commonFlags, modelFlags } from "./flags.ts";
import { noteLongWaits } from "./note_waits.ts";
import { colored, writeNote, writeOutput } from "./terminal.ts";

/** The question: what is piped in, the argument, or both, the piped text first. */
async function readQuestion(argument: string | undefined): Promise<string> {
  const { text } = await import("node:stream/consumers");
  const piped = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  const question = [piped, argument ?? ""].filter((part) => part !== "").join("\n\n");
  if (question !== "") return question;
  throw new InvalidInputError("there is nothing to ask", {
    hint: 'Give a question, flexllm ask "What is Python?", or pipe text in.',
  });
}

function toJson(result: ChatResult): string {
  return JSON.stringify({
    content: result.content,
    thinking: result.thinking,
    tool_calls: result.toolCalls,
    model: result.model,
    finish_reason: result.finishReason,
    usage: result.usage && {
      prompt_tokens: result.usage.promptTokens,
      completion_tokens: result.usage.completionTokens,
      total_tokens: result.usage.totalTokens,
    },
    cost: result.cost,
    latency: Math.round(result.latency * 1000) / 1000,
  });
}

function describe(result: ChatResult): string {
  const { usage } = result;
  const tokens = usage ? `${usage.promptTokens} + ${usage.completionTokens} tokens` : "no usage";
  return `${result.model}: ${tokens}, ${result.latency.toFixed(2)} s, ${result.finishReason}`;
}

/** The command. */
export function askCommand() {
  const command = new Command("ask")
    .description("ask one question; the answer goes to stdout as it arrives")
    .argument("[question]", "the question; text that is piped in goes before it")
    .addOption(modelFlags.model)
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .option("--json", "print the answer with usage and model as one JSON object")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose)
    .action(async (argument, flags) => {
      const [{ connectModel, readConfig, withWarning }, { resolveCache }] = await Promise.all([
        import("./connect_model.ts"),
        import("../lib/config/resolve_cache.ts"),
      ]);
      const { timeout, retryTimes, system, temperature, maxTokens } = flags;
      const config = readConfig(flags.config);
      const cache = withWarning(resolveCache(config));
      const { client } = connectModel(config, flags, { timeout, retryTimes, cache });
      const messages: Message[] = [{ role: "user", content: await readQuestion(argument) }];
      if (system !== undefined) messages.unshift({ role: "system", content: system });

      const options = { temperature, maxTokens, onRetryWait: noteLongWaits(writeNote) };
      if (flags.json) {
        const result = await client.chatCompletions(messages, options);
        writeOutput(`${toJson(result)}\n`);
        return await client.close();
      }
      const stream = client.chatCompletionsStream(messages, options);
      let last = "";
      try {
        for await (const piece of stream) writeOutput(last = piece);
      } finally {
        if (last !== "" && !last.endsWith("\n")) writeOutput("\n");
      }
      const result = await stream.result;
      if (result.content === "") writeNote(colored("yellow", "The answer is empty."));
      if (result.finishReason === "length") {
        writeNote(colored("yellow", "The answer was cut at the limit of tokens."));
      }
      if (flags.verbose) writeNote(colored("dim", describe(result)));
      await client.close();
    });
  return addExamples(command, [
    'flexllm ask "What is Python?"',
    'flexllm ask "summarise" < article.txt',
    'git diff | flexllm ask "write a commit message" -s "You are terse."',
    'flexllm ask "Name three rivers" -m gpt-5.4-mini --json',
  ]);
}
