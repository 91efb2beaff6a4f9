/**
 * Implements `flexllm config`, which shows, checks and edits the configuration.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { loadConfig, readConfigText } from "../../lib/config/load.ts";
import { candidatePaths, findConfigFile } from "../../lib/files/paths.ts";
import { approve, foreignVariables } from "../../lib/config/trust.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { readConfig } from "../read_config.ts";
import { counted, quoted } from "../terminal/format.ts";
import { colored, writeJson, writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { checkConfig } from "./check.ts";
import { openEditor } from "./editor.ts";

/**
 * Returns the effective configuration file.
 *
 * @throws {ConfigurationError} if there is none
 */
function expectFile(named: string | undefined): string {
  const file = findConfigFile(process.env, process.cwd(), named);
  if (file !== undefined) return file;
  const places = candidatePaths(process.env, process.cwd());
  throw new ConfigurationError("there is no configuration file", {
    hint: `Searched ${places.join(", ")}.\nRun \`flexllm init\` to create one.`,
  });
}

/**
 * Prints the problems in a file and sets the exit code.
 *
 * @param named the file if the user named it; otherwise it is the effective one
 */
function check(named: string | undefined, json: boolean): void {
  const file = expectFile(named);
  const { problems, warnings } = checkConfig(file);
  if (problems.length > 0) process.exitCode = EXIT.usage;
  if (json) {
    writeJson({ file, problems, warnings });
    return;
  }
  for (const problem of problems) writeSentences(`${colored("red", "error:")} ${problem}`);
  for (const warning of warnings) writeWarning(warning);
  if (problems.length === 0) return writeOutput(`${file} is valid.\n`);
  const edit = ["flexllm config edit", ...named === undefined ? [] : [quoted(named)]].join(" ");
  writeSentences(`Found ${counted(problems.length, "problem")}. To fix: \`${edit}\``);
}

/** Approves the file in the current directory and prints which variables it sends where. */
function trust(): void {
  const { env } = process;
  const { file, value, unapproved, locate } = loadConfig(env, process.cwd(), undefined);
  if (file === undefined) expectFile(undefined);
  else if (unapproved.length > 0) approve(env, file, readConfigText(file));
  const foreign = foreignVariables(value, env);
  if (unapproved.length === 0) {
    const why = foreign.length > 0
      ? "already allowed"
      : "it sends no service's variable to another server";
    return writeOutput(`${file} needs no approval: ${why}.\n`);
  }
  for (const { variable, host, path } of unapproved) {
    writeSentences(`${locate(path)}: ${variable} may be sent to ${host}`);
  }
  writeOutput(`${file} is trusted until it changes.\n`);
}

function showCommand(name: string) {
  return new Command(name)
    .description("show the effective settings and their sources, with keys masked")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action(async (flags) => {
      const { showJson, showLines } = await import("./show.ts");
      const config = readConfig(flags.config);
      if (flags.json) writeJson(showJson(config, flags.config));
      else writeOutput(`${showLines(config, flags.config).join("\n")}\n`);
    });
}

/** Creates the command. */
export function configCommand() {
  const show = addExamples(showCommand("show"), ["flexllm config", "flexllm config show --json"]);
  const command = new Command("config").addCommand(show, { isDefault: true });
  const path = command.command("path")
    .description("print the path of the effective file")
    .addOption(commonFlags.config)
    .action((flags) => writeOutput(`${expectFile(flags.config)}\n`));
  const checks = command.command("check")
    .description("report all problems in the file, with line and column")
    .argument("[file]", "file to check (default: the effective one)")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action((file, flags) => check(file ?? flags.config, flags.json ?? false));
  const edit = command.command("edit")
    .description("open the file in $VISUAL or $EDITOR, then check it")
    .argument("[file]", "file to edit (default: the effective one)")
    .addOption(commonFlags.config)
    .action(async (file, flags) => {
      const named = file ?? flags.config;
      await openEditor(expectFile(named));
      check(named, false);
    });
  const trustCommand = command.command("trust")
    .description("allow the file in this directory to use your keys")
    .action(trust);
  const schema = command.command("schema")
    .description("print a JSON Schema of the file, for editors")
    .action(async () => {
      const { configJsonSchema } = await import("../../lib/config/json_schema.ts");
      writeOutput(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
  addNotes(addExamples(schema, ["flexllm config schema > flexllm.schema.json"]), [
    "Editors with the YAML language server use it for completion and checks if the first line of the " +
    "configuration is:",
  ]).addHelpText("after", "  # yaml-language-server: $schema=flexllm.schema.json");
  addExamples(path, ["flexllm config path"]);
  addExamples(checks, ["flexllm config check", "flexllm config check ./flexllm_config.yaml"]);
  addNotes(addExamples(trustCommand, ["flexllm config show", "flexllm config trust"]), [
    "A configuration found in the current directory may not be yours, so it cannot send a stored key, " +
    "or a variable of a known service such as OPENAI_API_KEY, to another server until you trust it. " +
    "If it changes, " +
    "you have to trust it again. In scripts, set FLEXLLM_TRUST=1.",
  ]);
  addExamples(edit, [
    "flexllm config edit",
    "flexllm config edit ./flexllm_config.yaml",
    "EDITOR=nano flexllm config edit",
  ]);
  return addExamples(command, ["flexllm config", "flexllm config check", "flexllm config edit"]);
}
