/**
 * Defines `flexllm worker status`.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import type { StatusFlags } from "./status.ts";

/** The command. */
export function statusCommand() {
  const command = new Command("status")
    .description("show the jobs and workers of a fleet")
    .option("--json", "print JSON")
    .option("--redis <url>", "Redis or Valkey server of the fleet (env: FLEXLLM_REDIS_URL)")
    .addOption(commonFlags.config)
    .action(async (_, command) => {
      const { showStatus } = await import("./status.ts");
      await showStatus(command.optsWithGlobals() as unknown as StatusFlags);
    });
  return addExamples(command, [
    "flexllm worker status --redis redis://queue",
    "flexllm worker status --json",
  ]);
}
