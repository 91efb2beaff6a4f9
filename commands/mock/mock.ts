/**
 * `flexllm mock`: runs the mock server, or records and replays a real one.
 *
 * @module
 */
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { readFileSync } from "node:fs";
import process from "node:process";
import { ConfigurationError, InvalidInputError } from "../../lib/errors.ts";
import { fileReason } from "../../lib/files/reasons.ts";
import { BATCH_VENDORS, type BatchVendor } from "../../lib/mock/batch/batch_options.ts";
import { parseBatchFault } from "../../lib/mock/batch/fault_kinds.ts";
import type { CannedResponse } from "../../lib/mock/canned.ts";
import { MOCK_ERROR_KINDS, type MockErrorKind } from "../../lib/mock/error_kinds.ts";
import { isLoopback } from "../../lib/transport/loopback.ts";
import type { MockServerOptions } from "../../lib/mock/server.ts";
import { EXIT } from "../exit_codes.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import {
  anyInteger,
  collect,
  duration,
  durationRange,
  integer,
  integerRange,
  numberWithin,
  positiveNumber,
} from "../flags/parse.ts";
import { addExamples } from "../flags/shared_options.ts";
import { onStopSignals } from "../signals.ts";
import { counted } from "../terminal/format.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { ACCESS_LOG_FORMATS, type AccessLogFormat, LineLog } from "../terminal/request_log.ts";
import { accessLogger } from "./access_log.ts";

/** Options for generated answers: recorded and real servers decide these themselves. */
const GENERATED = [
  "delay",
  "length",
  "model",
  "rps",
  "tokenRate",
  "errorRate",
  "errorKinds",
  "firstToken",
  "responses",
  "lenient",
  "seed",
  "batchDuration",
  "batchFault",
  "batchQueuedTokens",
  "batchApi",
  "state",
];

/** Seconds that a batch takes by default: long enough to see it run. */
const BATCH_DURATION = 2;
/** Maximum duration of a batch in seconds: a week, the longest window of a provider. */
const MAX_BATCH_DURATION = 7 * 86_400;

/** Checks a fault of the batch APIs, and adds it to the previous ones. */
function batchFault(text: string, previous?: string[]): string[] {
  try {
    parseBatchFault(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // Commander has already named the fault.
    const message = error.message.replace(/^batch fault ".*?": /s, "");
    const end = message.endsWith("?") ? "" : ".";
    throw new InvalidArgumentError(
      `${message[0].toUpperCase()}${message.slice(1)}${end} ${error.hint ?? ""}`,
    );
  }
  return collect(text, previous);
}

/** Parses a key that HTTP can carry, and adds it to the previous ones. */
function apiKey(key: string, previous?: string[]): string[] {
  if (/^[\x21-\x7e]+$/.test(key)) return collect(key, previous);
  throw new InvalidArgumentError("Expected printable ASCII characters without spaces.");
}

/** Resolves on the first stop signal. The second one ends the process, even if a request hangs. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    onStopSignals((count) => count === 1 ? resolve() : process.exit(EXIT.interrupted));
  });
}

async function readResponses(file: string): Promise<CannedResponse[]> {
  const { parseCanned } = await import("../../lib/mock/canned.ts");
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

/** The flags for recording and replaying. */
interface RecordingFlags {
  record?: string[];
  replay?: string;
  speed?: number;
  timing?: boolean;
  repeat?: boolean;
  onlyNew?: boolean;
}

/** `--record` takes two values, which Commander has no notation for. */
function recordOption(): Option<"--record <url...>", undefined, undefined> {
  const option = new Option("--record <url> <file>", "pass requests on to a server and record them")
    .conflicts(["replay", ...GENERATED]);
  option.variadic = true;
  return option as unknown as Option<"--record <url...>", undefined, undefined>;
}

function recordingOptions(
  { record, replay, speed, timing, repeat, onlyNew }: RecordingFlags,
): Pick<MockServerOptions, "record" | "replay"> {
  if (onlyNew && record === undefined) {
    throw new ConfigurationError("--only-new needs a server to record", {
      hint: "Add it: flexllm mock --record https://api.openai.com/v1 tape.jsonl --only-new",
    });
  }
  if (replay !== undefined) {
    return { replay: { file: replay, speed: timing === false ? Infinity : speed, repeat } };
  }
  const flag = speed !== undefined
    ? "--speed"
    : timing === false
    ? "--no-timing"
    : repeat === false
    ? "--no-repeat"
    : undefined;
  if (flag !== undefined) {
    throw new ConfigurationError(`${flag} needs a recording to replay`, {
      hint: `Add it: flexllm mock --replay tape.jsonl ${flag}${speed ? ` ${speed}` : ""}`,
    });
  }
  if (record === undefined) return {};
  const [url, file, ...more] = record;
  if (file === undefined || more.length > 0) {
    throw new ConfigurationError(
      `--record takes a URL and a file, got ${record.map((value) => `"${value}"`).join(" ")}`,
      { hint: "For example: flexllm mock --record https://api.openai.com/v1 tape.jsonl" },
    );
  }
  return { record: { url, file, onlyNew } };
}

/** Notes what is recorded or replayed. */
function describeRecording(
  { record, replay }: Pick<MockServerOptions, "record" | "replay">,
  exchanges = 0,
): void {
  const count = counted(exchanges, "exchange");
  if (typeof replay === "object" && "file" in replay) {
    writeNote(`Replaying ${count} from ${replay.file}.`);
  } else if (record !== undefined) {
    const after = exchanges === 0 ? "" : `, after the ${count} that it has`;
    writeSentences(`Recording ${record.url} to ${record.file}${after}.`);
    const { protocol, hostname } = new URL(record.url);
    if (protocol === "http:" && !isLoopback(hostname)) {
      writeWarning(`the keys of your clients are sent to ${hostname} over plain HTTP`);
    }
  }
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
      new Option("--api-key <key>", "accept only requests with this API key (repeatable)")
        .argParser(apiKey),
    )
    .addOption(
      new Option("--access-log [format]", "print a line for each request")
        .choices(ACCESS_LOG_FORMATS).preset("text"),
    )
    .optionsGroup(HELP_GROUPS.answers)
    .addOption(
      new Option("-l, --length <characters>", "characters per answer, e.g. 200 or 100-500")
        .argParser(integerRange),
    )
    .option("-m, --model <names...>", "models to list; requests may use any name")
    .option("--responses <file>", "file with canned responses (JSONL, YAML or JSON)")
    .option("--lenient", "accept requests that the real APIs reject")
    .addOption(
      new Option("--seed <number>", "seed for answers, delays and errors")
        .argParser(anyInteger),
    )
    .optionsGroup(HELP_GROUPS.faults)
    .addOption(
      new Option("-d, --delay <time>", "time before each answer, e.g. 500ms, 2s or 1-5")
        .argParser(durationRange),
    )
    .addOption(
      new Option("--first-token <time>", "time before the first token of a stream, e.g. 2s or 1-5")
        .argParser(durationRange),
    )
    .addOption(
      new Option("--token-rate <number>", "tokens per second, in plain and streamed answers")
        .argParser(positiveNumber),
    )
    .addOption(
      new Option("--rps <number>", "maximum requests per second; further ones get a 429")
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
    .optionsGroup(HELP_GROUPS.batchApi)
    .addOption(
      new Option(
        "--batch-duration <time>",
        `time from the creation of a batch to its end (default: ${BATCH_DURATION}s)`,
      ).argParser(duration(MAX_BATCH_DURATION)),
    )
    .addOption(
      new Option("--batch-fault <fault>", "fault to inject, e.g. expire=30% (repeatable)")
        .argParser(batchFault),
    )
    .addOption(
      new Option("--batch-queued-tokens <number>", "maximum tokens of a model's unfinished batches")
        .argParser(integer(1)),
    )
    .addOption(
      new Option("--batch-api <name>", "provider to imitate on paths that several share")
        .choices(BATCH_VENDORS),
    )
    .option("--state <folder>", "keep batches and files in this folder across restarts")
    .optionsGroup(HELP_GROUPS.recording)
    .addOption(recordOption())
    .option("--only-new", "record only what the file doesn't have, and replay the rest")
    .addOption(
      new Option("--replay <file>", "answer from a recording").conflicts(["record", ...GENERATED]),
    )
    .addOption(
      new Option("--speed <factor>", "replay this many times faster than recorded")
        .argParser(positiveNumber).conflicts("timing"),
    )
    .option("--no-timing", "replay without waiting")
    .option("--no-repeat", "replay each exchange once; further requests get a 404")
    .action(async (options) => {
      const { startMockServer } = await import("../../lib/mock/server.ts");
      const { host: hostname, port, apiKey, accessLog, model: models, responses: file } = options;
      const { delay, length, rps, tokenRate, errorRate, errorKinds, firstToken } = options;
      const format = accessLog as AccessLogFormat | undefined;
      const recording = recordingOptions(options);
      const log = new LineLog();
      const server = await startMockServer({
        hostname,
        port,
        apiKey,
        onRequest: format && accessLogger(format, log),
        ...recording,
        delay,
        length,
        models,
        rps,
        tokenRate,
        errorRate,
        errorKinds: errorKinds as MockErrorKind[] | undefined,
        firstToken,
        responses: file === undefined ? undefined : await readResponses(file),
        lenient: options.lenient,
        seed: options.seed,
        batch: {
          duration: options.batchDuration ?? BATCH_DURATION,
          faults: options.batchFault,
          queuedTokens: options.batchQueuedTokens,
          api: options.batchApi as BatchVendor | undefined,
          state: options.state,
        },
      });
      const ready = `flexllm mock listening on ${server.baseUrl}`;
      // Every line of a JSON log is JSON.
      if (format === "json") writeNote(ready);
      else writeOutput(`${ready}\n`);
      describeRecording(recording, server.exchanges);
      if (process.stderr.isTTY) writeNote("Press Ctrl-C to stop.");
      await stopped();
      await server.close();
      await log.flush();
    });
  return addExamples(command, [
    "flexllm mock -p 8080",
    "flexllm mock -d 200ms-2s --error-rate 0.1 --seed 7 --access-log",
    "flexllm mock --rps 10 --token-rate 50",
    "flexllm mock --error-rate 0.3 --error-kinds disconnect malformed rate_limit",
    "flexllm mock --responses answers.yaml --api-key test-key",
    "flexllm mock --batch-duration 30s --batch-fault expire=30%@1 --state jobs",
    "flexllm mock --record https://api.openai.com/v1 tape.jsonl",
    "flexllm mock --replay tape.jsonl --speed 10",
    "FLEXLLM_BASE_URL=http://127.0.0.1:8001/v1 FLEXLLM_MODEL=any flexllm ask hello",
  ]);
}
