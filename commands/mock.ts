/**
 * `flexllm mock`: runs the mock server.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { readFileSync } from "node:fs";
import process from "node:process";
import { InvalidInputError } from "../lib/errors.ts";
import type { CannedResponse } from "../lib/mock/canned.ts";
import { MOCK_ERROR_KINDS, type MockErrorKind } from "../lib/mock/error_kinds.ts";
import { EXIT } from "./exit_codes.ts";
import { integer, integerRange, numberRange, numberWithin, positiveNumber } from "./flags/parse.ts";
import { addExamples } from "./flags/shared_options.ts";
import { onStopSignals } from "./signals.ts";
import { writeNote, writeOutput } from "./terminal/output.ts";
import { fileReason } from "../lib/files/reasons.ts";

/** Resolves on the first stop signal. The second one ends the process, even if a request hangs. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    onStopSignals((count) => count === 1 ? resolve() : process.exit(EXIT.interrupted));
  });
}

async function readResponses(file: string): Promise<CannedResponse[]> {
  const { parseCanned } = await import("../lib/mock/canned.ts");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`cannot read ${file}: ${fileReason(cause)}`, {
      cause,
      hint: "Pass a file with canned responses: --responses answers.yaml",
    });
  }
  return await parseCanned(file, text);
}

/** Defines `flexllm mock`. */
export function mockCommand() {
  const command = new Command("mock")
    .addOption(
      new Option("-p, --port <port>", "port to listen on; 0 picks a free port")
        .argParser(integer(0, 65535)).default(8001),
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(
      new Option("-d, --delay <seconds>", "seconds before each answer, e.g. 0.5 or 1-5")
        .argParser(numberRange),
    )
    .addOption(
      new Option("-l, --length <characters>", "characters per answer, e.g. 200 or 100-500")
        .argParser(integerRange),
    )
    .option("-m, --model <names...>", "models to list; requests may use any name")
    .addOption(
      new Option("--rps <number>", "maximum requests per second; further ones get a 429")
        .argParser(positiveNumber),
    )
    .addOption(
      new Option("--token-rate <number>", "tokens per second, in plain and streamed answers")
        .argParser(positiveNumber),
    )
    .addOption(
      new Option("--error-rate <share>", "share of requests that fail, e.g. 0.1")
        .argParser(numberWithin(0, 1)),
    )
    .addOption(
      new Option("--error-kinds <kinds...>", "kinds of errors to inject (default: server_error)")
        .choices(MOCK_ERROR_KINDS),
    )
    .addOption(
      new Option(
        "--first-token <seconds>",
        "seconds before the first token of a stream, e.g. 2 or 1-5",
      )
        .argParser(numberRange),
    )
    .option("--responses <file>", "file with canned responses (JSONL, YAML or JSON)")
    .option("--lenient", "accept requests that the real APIs reject")
    .addOption(
      new Option("--seed <number>", "seed for answers, delays and errors")
        .argParser(integer(0)),
    )
    .action(async (options) => {
      const { startMockServer } = await import("../lib/mock/server.ts");
      const { host: hostname, model: models, responses: file, errorKinds, ...rest } = options;
      const responses = file === undefined ? undefined : await readResponses(file);
      const server = await startMockServer({
        ...rest,
        hostname,
        models,
        responses,
        errorKinds: errorKinds as MockErrorKind[] | undefined,
      });
      writeOutput(`flexllm mock listening on ${server.baseUrl}\n`);
      if (process.stderr.isTTY) writeNote("Press Ctrl-C to stop.");
      await stopped();
      await server.close();
    });
  return addExamples(command, [
    "flexllm mock -p 8080",
    "flexllm mock -d 1-5 --error-rate 0.1 --seed 7",
    "flexllm mock --rps 10 --token-rate 50",
    "flexllm mock --error-rate 0.3 --error-kinds disconnect malformed rate_limit",
    "flexllm mock --responses answers.yaml",
    "FLEXLLM_BASE_URL=http://127.0.0.1:8001/v1 FLEXLLM_MODEL=any flexllm ask hello",
  ]);
}
