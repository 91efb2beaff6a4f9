/**
 * `flexllm config`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { spawn } from "node:child_process";
import process from "node:process";
import { loadConfig, readConfigText } from "../../lib/config/load.ts";
import { candidatePaths, findConfigFile } from "../../lib/files/paths.ts";
import { approve, foreignVariables } from "../../lib/config/trust.ts";
import { AbortedError, ConfigurationError } from "../../lib/errors.ts";
import { mistakesIn } from "./check.ts";
import { readConfig } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { colored, writeJson, writeNote, writeOutput, writeWarning } from "../terminal/output.ts";

/** The file in force. */
function expectFile(named: string | undefined): string {
  const file = findConfigFile(process.env, process.cwd(), named);
  if (file !== undefined) return file;
  const places = candidatePaths(process.env, process.cwd());
  throw new ConfigurationError("there is no configuration file", {
    hint: `Looked for ${places.join(", ")}.\nRun \`flexllm init\` to write one.`,
  });
}

/** Writes what is wrong with a file, and sets the exit code. */
function check(file: string, json: boolean): void {
  const { problems, warnings } = mistakesIn(file);
  if (problems.length > 0) process.exitCode = EXIT.usage;
  if (json) {
    writeJson({ file, problems, warnings });
    return;
  }
  for (const problem of problems) writeNote(`${colored("red", "error:")} ${problem}`);
  for (const warning of warnings) writeWarning(warning);
  if (problems.length === 0) return writeOutput(`${file} is in order.\n`);
  const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
  writeNote(`${count}; correct them with \`flexllm config edit\`.`);
}

/** Trusts the file in the current folder, and prints what it sends. */
function trust(): void {
  const { env } = process;
  const { file, value, unapproved, locate } = loadConfig(env, process.cwd(), undefined);
  if (file === undefined) expectFile(undefined);
  else if (unapproved.length > 0) approve(env, file, readConfigText(file));
  const foreign = foreignVariables(value, env);
  if (unapproved.length === 0) {
    const why = foreign.length > 0
      ? "already allowed"
      : "it sends no variable of a service to another server";
    return writeOutput(`${file} needs no approval: ${why}.\n`);
  }
  for (const { variable, host, path } of unapproved) {
    writeNote(`${locate(path)}: ${variable} may be sent to ${host}`);
  }
  writeOutput(`${file} is trusted until it changes.\n`);
}

/** Opens the person's editor and waits for its end. */
function openEditor(file: string): Promise<void> {
  const { VISUAL, EDITOR } = process.env;
  const isWindows = process.platform === "win32";
  if (!VISUAL && !EDITOR && !process.stdin.isTTY) {
    throw new ConfigurationError(`there is no terminal to edit ${file} at`, { hint: EDITOR_HINT });
  }
  const editor = VISUAL || EDITOR || (isWindows ? "notepad" : "vi");
  // Through a shell, as others do: EDITOR may hold arguments, such as "code --wait".
  const child = isWindows
    ? spawn(`${editor} "${file}"`, { stdio: "inherit", shell: true })
    : spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      reject(
        new ConfigurationError(`cannot run the editor ${editor}`, { cause, hint: EDITOR_HINT }),
      );
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else if (signal === "SIGINT") reject(new AbortedError("the editor was ended"));
      else {
        const message = `the editor ${editor} failed (exit code ${code ?? signal})`;
        reject(new ConfigurationError(message, { hint: EDITOR_HINT }));
      }
    });
  });
}

const EDITOR_HINT = "Name an editor in VISUAL or EDITOR.";

function showCommand(name: string) {
  return new Command(name)
    .description("settings in force and where each comes from, keys masked")
    .option("--json", "print them as JSON")
    .addOption(commonFlags.config)
    .action(async (flags) => {
      const { showJson, showLines } = await import("./show.ts");
      const config = readConfig(flags.config);
      if (flags.json) writeJson(showJson(config, flags.config));
      else writeOutput(`${showLines(config, flags.config).join("\n")}\n`);
    });
}

/** The command. */
export function configCommand() {
  const command = new Command("config")
    .addCommand(
      addExamples(showCommand("show"), ["flexllm config", "flexllm config show --json"]),
      {
        isDefault: true,
      },
    );
  const path = command.command("path")
    .description("the file in force")
    .addOption(commonFlags.config)
    .action((flags) => writeOutput(`${expectFile(flags.config)}\n`));
  const checks = command.command("check")
    .description("all mistakes in the file, with line and column")
    .argument("[file]", "file to check; default the one in force")
    .option("--json", "print them as JSON")
    .addOption(commonFlags.config)
    .action((file, flags) => check(expectFile(file ?? flags.config), flags.json ?? false));
  const edit = command.command("edit")
    .description("open the file in $VISUAL or $EDITOR, and check it afterwards")
    .addOption(commonFlags.config)
    .action(async (flags) => {
      const file = expectFile(flags.config);
      await openEditor(file);
      check(file, false);
    });
  const trustCommand = command.command("trust")
    .description("trust the configuration in this folder with your variables")
    .action(trust);
  const schema = command.command("schema")
    .description("a JSON Schema of the file, for editors")
    .action(async () => {
      const { configJsonSchema } = await import("../../lib/config/json_schema.ts");
      writeOutput(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
  addExamples(schema, ["flexllm config schema > flexllm.schema.json"]).addHelpText(
    "after",
    `
Editors with the YAML language server complete and check a configuration whose
first line names it:
  # yaml-language-server: $schema=flexllm.schema.json`,
  );
  addExamples(path, ["flexllm config path"]);
  addExamples(checks, ["flexllm config check", "flexllm config check ./flexllm_config.yaml"]);
  addExamples(trustCommand, ["flexllm config show", "flexllm config trust"]).addHelpText(
    "after",
    `
A configuration found in the current folder may not be yours, so it cannot send
a variable of a known service, such as OPENAI_API_KEY, to another server until
you trust it. If it changes, you have to trust it again. In scripts, set
FLEXLLM_TRUST=1.`,
  );
  addExamples(edit, ["flexllm config edit", "EDITOR=nano flexllm config edit"]);
  return addExamples(command, ["flexllm config", "flexllm config check", "flexllm config edit"]);
}
