/**
 * Defines `flexllm serve status`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { integer } from "../flags/parse.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import type { StatusFlags } from "./status.ts";

/** The command. */
export function statusCommand() {
  const command = new Command("status")
    .description("show endpoints, routes, keys and recent errors of a running gateway")
    .option("--url <url>", "URL of the gateway (default: the configured host and port)")
    .addOption(
      new Option("-p, --port <port>", "its port on this machine").argParser(integer(1, 65535)),
    )
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async (_, command) => {
      const { showStatus } = await import("./status.ts");
      await showStatus(command.optsWithGlobals() as unknown as StatusFlags);
    });
  return addExamples(command, [
    "flexllm serve status",
    "flexllm serve status -p 9000 --json",
    "FLEXLLM_ADMIN_KEY=… flexllm serve status --url https://llm.example.org",
  ]);
}
