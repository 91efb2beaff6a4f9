/**
 * `flexllm worker`: sends records of batches that run on other machines.
 *
 * @module
 */
import process from "node:process";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples } from "../flags/shared_options.ts";
import { statusCommand } from "./status_command.ts";
import { workerFlags } from "./worker_flags.ts";

/** The command. */
export function workerCommand() {
  const command = workerFlags()
    .addCommand(statusCommand())
    .action(async (flags) => {
      const { runWorker } = await import("./run_worker.ts");
      process.exitCode = await runWorker(flags);
    });
  addExamples(command, [
    "flexllm worker --redis redis://queue",
    "flexllm worker --redis redis://queue -c 200 --base-url http://gpu1:8000/v1",
    "flexllm worker --redis redis://queue --job answers --exit-when-done",
    "flexllm worker --redis redis://queue --idle-exit 5m",
    "flexllm worker status --redis redis://queue",
  ]);
  return addNotes(command, [
    "A worker takes records of any `flexllm batch … --redis URL` at the same Redis or Valkey server, sends them " +
    "with its own keys, and returns the answers. It uses the server that its own flags, environment or " +
    "configuration name for the model of the batch; keys are never stored in Redis.",
    "SIGTERM and Ctrl-C let requests in flight finish, and return the records that were not sent. If a worker " +
    "dies, its records go to others.",
  ]);
}
