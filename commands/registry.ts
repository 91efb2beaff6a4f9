/**
 * Lists all commands with their descriptions; each module is loaded only when its command runs.
 *
 * @module
 */
import type { CommandEntry } from "./command_entry.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "ask",
    description: "send one prompt and stream the answer to stdout",
    group: "Prompts:",
    load: async () => (await import("./ask/ask.ts")).askCommand(),
  },
  {
    name: "chat",
    description: "chat with a model; conversations are saved",
    group: "Prompts:",
    load: async () => (await import("./chat/chat.ts")).chatCommand(),
  },
  {
    name: "logs",
    description: "list, search, show and export saved conversations",
    group: "Prompts:",
    load: async () => (await import("./logs/logs.ts")).logsCommand(),
  },
  {
    name: "batch",
    description: "send every prompt in a file; rerun to resume",
    group: "Prompts:",
    load: async () => (await import("./batch/batch.ts")).batchCommand(),
  },
  {
    name: "results",
    description: "summarize, filter, show and convert results",
    group: "Prompts:",
    load: async () => (await import("./results/results.ts")).resultsCommand(),
  },
  {
    name: "report",
    description: "turn results into a page with charts",
    group: "Prompts:",
    load: async () => (await import("./report/report.ts")).reportCommand(),
  },
  {
    name: "template",
    description: "manage saved prompts and roles, which --as uses",
    group: "Prompts:",
    load: async () => (await import("./template/template.ts")).templateCommand(),
  },
  {
    name: "init",
    description: "set up flexllm: provider, key and model",
    group: "Setup:",
    load: async () => (await import("./init/init.ts")).initCommand(),
  },
  {
    name: "keys",
    description: "store API keys in the system's keychain or a private file",
    group: "Setup:",
    load: async () => (await import("./keys/keys.ts")).keysCommand(),
  },
  {
    name: "config",
    description: "show, check or edit the configuration",
    group: "Setup:",
    load: async () => (await import("./config/config.ts")).configCommand(),
  },
  {
    name: "completions",
    description: "print a shell completion script",
    group: "Setup:",
    load: async () => (await import("./completions/completions.ts")).completionsCommand(),
  },
  {
    name: "version",
    description: "print the version",
    group: "Setup:",
    load: async () => (await import("./version.ts")).versionCommand(),
  },
  {
    name: "models",
    description: "list the models a server offers",
    group: "Models:",
    load: async () => (await import("./models/models.ts")).modelsCommand(),
  },
  {
    name: "list",
    description: "list the configured models",
    group: "Models:",
    load: async () => (await import("./models/list.ts")).listCommand(),
  },
  {
    name: "set-model",
    description: "set the default model",
    group: "Models:",
    load: async () => (await import("./models/set_model.ts")).setModelCommand(),
  },
  {
    name: "test",
    description: "test the connection, key, completion and streaming",
    group: "Models:",
    load: async () => (await import("./test/test.ts")).testCommand(),
  },
  {
    name: "pricing",
    description: "show model prices in USD per million tokens",
    group: "Models:",
    load: async () => (await import("./pricing/pricing.ts")).pricingCommand(),
  },
  {
    name: "credits",
    description: "show the remaining balance of an API key",
    group: "Models:",
    load: async () => (await import("./credits.ts")).creditsCommand(),
  },
  {
    name: "worker",
    description: "work on batches of other machines, through Redis",
    group: "Tools:",
    load: async () => (await import("./worker/worker.ts")).workerCommand(),
  },
  {
    name: "serve",
    description: "run a gateway: any client format, any provider, keys and budgets",
    group: "Tools:",
    load: async () => (await import("./serve/serve.ts")).serveCommand(),
  },
  {
    name: "mock",
    description: "run a mock LLM server for testing and development",
    group: "Tools:",
    load: async () => (await import("./mock/mock.ts")).mockCommand(),
  },
  {
    name: "schema",
    description: "print the JSON Schema of a --schema value",
    group: "Tools:",
    load: async () => (await import("./schema.ts")).schemaCommand(),
  },
  {
    name: "skill",
    description: "print or install a skill for coding agents",
    group: "Tools:",
    load: async (commands) => (await import("./skill/skill.ts")).skillCommand(commands),
  },
  {
    name: "cache",
    description: "inspect and clear the response cache",
    group: "Tools:",
    load: async () => (await import("./cache.ts")).cacheCommand(),
  },
  {
    name: "complete",
    description: "print completions for a command line",
    group: "Setup:",
    hidden: true,
    load: async (commands) => (await import("./completions/complete.ts")).completeCommand(commands),
  },
];
