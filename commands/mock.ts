/**
 * `flexllm mock`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import process from "node:process";
import {
  addExamples,
  numberRange,
  numberWithin,
  positiveNumber,
  wholeNumber,
  wholeRange,
} from "./flags.ts";
import { writeNote, writeOutput } from "./terminal.ts";

function port(text: string): number {
  return numberWithin(0, 65535)(String(wholeNumber(0)(text)));
}

/** Resolves at the first signal to end. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

/** The command. */
export function mockCommand() {
  const command = new Command("mock")
    .description("run a mock LLM server for tests and development")
    .addOption(
      new Option("-p, --port <port>", "port to listen on; 0 takes any free one")
        .argParser(port).default(8001),
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(
      new Option("-d, --delay <seconds>", "delay of each answer, e.g. 0.5 or 1-5")
        .argParser(numberRange),
    )
    .addOption(
      new Option("-l, --length <characters>", "length of an answer, e.g. 200 or 100-500")
        .argParser(wholeRange),
    )
    .option("-m, --model <names...>", "models to list; any model can be asked")
    .addOption(
      new Option("--rps <number>", "requests a second, above which it answers 429")
        .argParser(positiveNumber),
    )
    .addOption(
      new Option("--token-rate <number>", "tokens a second that an answer is written at")
        .argParser(positiveNumber),
    )
    .addOption(
      new Option("--error-rate <share>", "share of requests that fail, e.g. 0.1")
        .argParser(numberWithin(0, 1)),
    )
    .addOption(
      new Option("--seed <number>", "makes answers, delays and errors the same in each run")
        .argParser(wholeNumber(0)),
    )
    .action(async (options) => {
      const { startMockServer } = await import("../lib/mock/server.ts");
      const { host: hostname, model: models, ...rest } = options;
      const server = startMockServer({ ...rest, hostname, models });
      writeOutput(`flexllm mock listening on ${server.baseUrl}\n`);
      if (process.stderr.isTTY) writeNote("Ctrl-C stops it.");
      await ended();
      await server.close();
    });
  return addExamples(command, [
    "flexllm mock -p 8080",
    "flexllm mock -d 1-5 --error-rate 0.1 --seed 7",
    "flexllm mock --rps 10 --token-rate 50",
    "FLEXLLM_BASE_URL=http://127.0.0.1:8001/v1 FLEXLLM_MODEL=any flexllm ask hello",
  ]);
}
