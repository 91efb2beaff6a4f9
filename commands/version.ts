/**
 * Implements `flexllm version`.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { runtimeName } from "../lib/runtime/runtime.ts";
import { VERSION } from "../lib/version.ts";
import { addExamples } from "./flags/shared_options.ts";
import { printVersion } from "./print_version.ts";
import { writeJson } from "./terminal/output.ts";

/** Creates the command. */
export function versionCommand() {
  const command = new Command("version")
    .option("--json", "print version and runtime as JSON")
    .action(({ json }) => {
      if (json) writeJson({ version: VERSION, runtime: runtimeName() });
      else printVersion();
    });
  return addExamples(command, ["flexllm version", "flexllm version --json"]);
}
