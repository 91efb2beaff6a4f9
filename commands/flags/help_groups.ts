/**
 * The headings under which the help lists flags. Every command uses the same ones, in this order.
 *
 * @module
 */

/** The headings. Flags without one are listed under "Options:". */
export const HELP_GROUPS = {
  model: "Model:",
  prompt: "Prompt:",
  input: "Input:",
  records: "Which records:",
  sampling: "Sampling:",
  schema: "Structured output:",
  conversation: "Conversation:",
  output: "Output:",
  requests: "Requests:",
  log: "Log of calls:",
  jobs: "Provider batches:",
  cost: "Cost and cache:",
  fleet: "Several processes (Redis):",
  answers: "Answers:",
  faults: "Delays and faults:",
  batchApi: "Batch API:",
  recording: "Record and replay:",
} as const;
