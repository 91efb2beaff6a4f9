/**
 * Every command: what the help says of it, and where it is. A command's module is loaded when it is
 * needed, so that none pays for another at the start.
 *
 * @module
 */
import type { CommandEntry } from "./command_entry.ts";

/** The commands in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "init",
    description: "set flexllm up: provider, key and model",
    load: async () => (await import("./init/init.ts")).initCommand(),
  },
  {
    name: "ask",
    description: "ask one question; the answer goes to stdout as it arrives",
    load: async () => (await import("./ask/ask.ts")).askCommand(),
  },
  {
    name: "batch",
    description: "ask every question of a file; run again to resume",
    load: async () => (await import("./batch/batch.ts")).batchCommand(),
  },
  {
    name: "results",
    description: "count the results of a batch; list why records failed",
    load: async () => (await import("./results.ts")).resultsCommand(),
  },
  {
    name: "chat",
    description: "chat with a model; conversations are kept",
    load: async () => (await import("./chat/chat.ts")).chatCommand(),
  },
  {
    name: "test",
    description: "test the connection, the key, an answer and a stream",
    load: async () => (await import("./test/test.ts")).testCommand(),
  },
  {
    name: "list",
    description: "list the configured models",
    load: async () => (await import("./models/list.ts")).listCommand(),
  },
  {
    name: "models",
    description: "list the models that a server offers",
    load: async () => (await import("./models/models.ts")).modelsCommand(),
  },
  {
    name: "set-model",
    description: "choose the model that is asked by default",
    load: async () => (await import("./models/set_model.ts")).setModelCommand(),
  },
  {
    name: "config",
    description: "show, check or edit the configuration",
    load: async () => (await import("./config/config.ts")).configCommand(),
  },
  {
    name: "credits",
    description: "show what is left on the account of a key",
    load: async () => (await import("./credits.ts")).creditsCommand(),
  },
  {
    name: "pricing",
    description: "tell what models cost, in USD per million tokens",
    load: async () => (await import("./pricing/pricing.ts")).pricingCommand(),
  },
  {
    name: "cache",
    description: "see what the response cache holds, and remove it",
    load: async () => (await import("./cache.ts")).cacheCommand(),
  },
  {
    name: "mock",
    description: "run a mock LLM server for tests and development",
    load: async () => (await import("./mock.ts")).mockCommand(),
  },
  {
    name: "completions",
    description: "print the script that completes commands in a shell",
    load: async () => (await import("./completions/completions.ts")).completionsCommand(),
  },
  {
    name: "version",
    description: "print the version",
    load: async () => (await import("./version.ts")).versionCommand(),
  },
  {
    name: "complete",
    description: "answer a shell that completes a command line",
    hidden: true,
    load: async (commands) => (await import("./completions/complete.ts")).completeCommand(commands),
  },
];
