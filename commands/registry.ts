/**
 * Lists all commands with their descriptions; each module is loaded only when its command runs.
 *
 * @module
 */
import type { CommandEntry } from "./command_entry.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "init",
    description: "set up flexllm: provider, key and model",
    load: async () => (await import("./init/init.ts")).initCommand(),
  },
  {
    name: "ask",
    description: "send one prompt and stream the answer to stdout",
    load: async () => (await import("./ask/ask.ts")).askCommand(),
  },
  {
    name: "batch",
    description: "send every prompt in a file; rerun to resume",
    load: async () => (await import("./batch/batch.ts")).batchCommand(),
  },
  {
    name: "results",
    description: "summarize a result file and its failures",
    load: async () => (await import("./results.ts")).resultsCommand(),
  },
  {
    name: "chat",
    description: "chat with a model; conversations are saved",
    load: async () => (await import("./chat/chat.ts")).chatCommand(),
  },
  {
    name: "test",
    description: "test the connection, key, completion and streaming",
    load: async () => (await import("./test/test.ts")).testCommand(),
  },
  {
    name: "list",
    description: "list the configured models",
    load: async () => (await import("./models/list.ts")).listCommand(),
  },
  {
    name: "models",
    description: "list the models a server offers",
    load: async () => (await import("./models/models.ts")).modelsCommand(),
  },
  {
    name: "set-model",
    description: "set the default model",
    load: async () => (await import("./models/set_model.ts")).setModelCommand(),
  },
  {
    name: "config",
    description: "show, check or edit the configuration",
    load: async () => (await import("./config/config.ts")).configCommand(),
  },
  {
    name: "credits",
    description: "show the remaining balance of an API key",
    load: async () => (await import("./credits.ts")).creditsCommand(),
  },
  {
    name: "pricing",
    description: "show model prices in USD per million tokens",
    load: async () => (await import("./pricing/pricing.ts")).pricingCommand(),
  },
  {
    name: "cache",
    description: "inspect and clear the response cache",
    load: async () => (await import("./cache.ts")).cacheCommand(),
  },
  {
    name: "mock",
    description: "run a mock LLM server for testing and development",
    load: async () => (await import("./mock.ts")).mockCommand(),
  },
  {
    name: "completions",
    description: "print a shell completion script",
    load: async () => (await import("./completions/completions.ts")).completionsCommand(),
  },
  {
    name: "version",
    description: "print the version",
    load: async () => (await import("./version.ts")).versionCommand(),
  },
  {
    name: "complete",
    description: "print completions for a command line",
    hidden: true,
    load: async (commands) => (await import("./completions/complete.ts")).completeCommand(commands),
  },
];
