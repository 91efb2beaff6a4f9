/**
 * `flexllm serve`: runs the gateway, manages its virtual keys and shows its status.
 *
 * @module
 */
import { rejectWords } from "../errors/reject_words.ts";
import { Command, Option } from "@commander-js/extra-typings";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { logFlags } from "../flags/log.ts";
import { addNotes } from "../flags/help_notes.ts";
import { LONGEST_WAIT, modelFlags } from "../flags/model.ts";
import { collectText, duration, integer, timeout } from "../flags/parse.ts";
import { redisFlags } from "../flags/redis.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { databaseFlag } from "./database_flag.ts";
import { type RawServeFlags, serveFlags } from "./serve_flags.ts";
import { statusCommand } from "./status_command.ts";
import { virtualKeyCommand } from "./virtual_key/virtual_key.ts";

/** The command with its flags, without its action. */
function gatewayFlags() {
  return new Command("serve")
    .usage("[options]\n       flexllm serve <command>")
    // Not in the help: a misspelled subcommand gets an explanation.
    .argument("[words...]")
    .addOption(
      new Option("-p, --port <port>", "port to listen on; 0 picks a free port (default: 8080)")
        .argParser(integer(0, 65535)),
    )
    .option("--host <address>", "address to listen on (default: 127.0.0.1, this machine only)")
    .addOption(databaseFlag())
    .addOption(
      new Option("--access-log [format]", "print a line for each request on stdout")
        .choices(["text", "json"] as const).preset("text"),
    )
    .addOption(
      new Option(
        "--drain <duration>",
        "how long requests in flight may take when the gateway stops (default: 10m)",
      ).argParser(duration(LONGEST_WAIT)),
    )
    .option("-q, --quiet", "print only warnings and errors")
    .optionsGroup(HELP_GROUPS.model)
    .addOption(
      new Option(
        "-m, --model <name>",
        'model or route to serve (repeatable; default: all configured ones); "mock" needs no key',
      ).argParser(collectText),
    )
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.requests)
    .addOption(
      new Option(
        "-c, --concurrency <number>",
        "maximum concurrent requests per model (default: 256)",
      )
        .argParser(integer(1)),
    )
    .addOption(
      new Option(
        "--timeout <duration>",
        "timeout per attempt; for a stream, the longest silence (default: 10m)",
      ).argParser(timeout),
    )
    .addOption(
      new Option(
        "--max-wait <duration>",
        "maximum wait for a free endpoint and for rate limits (default: 60s)",
      )
        .argParser(duration(LONGEST_WAIT)),
    )
    .optionsGroup(HELP_GROUPS.cost)
    .addOption(
      new Option("--cache [scope]", "use the response cache: one per key, or shared by all keys")
        .choices(["key", "shared"] as const).preset("key"),
    )
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .option("--allow-unpriced", "allow models without a known price despite a budget")
    .addOption(redisFlags.redis)
    .addOption(redisFlags.onStoreLoss)
    .addOption(logFlags.level)
    .addOption(logFlags.file)
    .addOption(logFlags.maxSize)
    .optionsGroup("Options:")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The command. */
export function serveCommand() {
  const command = gatewayFlags()
    .addCommand(statusCommand())
    .addCommand(virtualKeyCommand());
  command.action(async (words, flags) => {
    await rejectWords(words, {
      command: "serve",
      names: command.commands.map((each) => each.name()),
      otherwise: "`flexllm serve --help` lists its commands. To serve a model, name it with -m.",
    });
    const { runGateway } = await import("./run_gateway.ts");
    await runGateway(serveFlags(flags as RawServeFlags));
  });
  addExamples(command, [
    "flexllm serve",
    "flexllm serve -m mock",
    "flexllm serve -p 9000 -m gpt-5.4-mini -m claude-haiku-4-5 --access-log",
    "flexllm serve --host 0.0.0.0 --cache shared",
    "flexllm serve --redis redis://redis.internal:6379 --database gateway.db",
    "flexllm serve virtual-key create alice --budget-month 20",
    "flexllm serve status",
    "OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=any python app.py",
  ]);
  return addNotes(command, [
    "Clients can use the APIs of OpenAI (Chat Completions and Responses), Anthropic and Gemini, whichever " +
    "provider a model is at. Each configured model is served under its name; the section serve of the " +
    "configuration adds routes, teams and limits.",
    "SIGTERM and Ctrl-C let requests in flight finish; SIGHUP reloads the configuration (not on Windows).",
  ]);
}
