/**
 * Checks the options for recording and replaying, and opens the files.
 *
 * @module
 */
import { Hono } from "hono";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "../../errors.ts";
import type { ProtocolServer } from "../../protocols/serve.ts";
import { systemClock } from "../../runtime/clock.ts";
import { defaultFetch } from "../../transport/default_fetch.ts";
import { addLogRoutes } from "../control_routes.ts";
import type { MockRecordOptions, MockReplayOptions } from "../options.ts";
import { RequestLog } from "../request_log.ts";
import { Player } from "./player.ts";
import { Recorder } from "./recorder.ts";
import { readRecording, RecordingFile } from "./recording_file.ts";

/** A mock that records or replays. */
export interface RecordingApp {
  fetch(request: Request): Response | Promise<Response>;
  /** The number of exchanges that the file had. */
  exchanges: number;
  /** Closes the file. */
  close(): void;
}

function pathOf(file: string | URL): string {
  return file instanceof URL ? fileURLToPath(file) : file;
}

function checkedUrl(text: string | URL): URL {
  const url = URL.parse(String(text));
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(`cannot record "${text}": it is not an http or https URL`, {
      hint: "Pass the base URL of the real server, e.g. https://api.openai.com/v1",
    });
  }
  if (url.username !== "" || url.search !== "") {
    throw new ConfigurationError("the URL to record must not contain a user or a query", {
      hint: "The client sends its key itself; the recorder passes it on.",
    });
  }
  return url;
}

/** An app with the routes of the log; everything else goes to `answer`. */
function appOf(log: RequestLog, answer: (request: Request) => Promise<Response>): Hono {
  const app = new Hono();
  addLogRoutes(app, log);
  app.all("*", (c) => answer(c.req.raw));
  return app;
}

/**
 * Opens a recording to append to.
 *
 * @throws {ConfigurationError} if the URL is invalid or the file cannot be written
 */
export function openRecorder(
  { url, file, onlyNew = false, fetch = defaultFetch }: MockRecordOptions,
  servers: readonly ProtocolServer[],
): RecordingApp {
  const base = checkedUrl(url);
  const recording = new RecordingFile(pathOf(file));
  const log = new RequestLog();
  const player = onlyNew
    ? new Player({
      file: pathOf(file),
      exchanges: recording.existing,
      speed: Infinity,
      repeat: true,
      servers,
      log,
      clock: systemClock,
    })
    : undefined;
  const recorder = new Recorder({ url: base, file: recording, player, fetch, servers, log });
  const app = appOf(log, (request) => recorder.answer(request));
  return {
    fetch: (request) => app.fetch(request),
    exchanges: recording.existing.length,
    close: () => recorder.close(),
  };
}

/**
 * Opens a recording to replay.
 *
 * @throws {ConfigurationError} if an option is out of range
 * @throws {InvalidInputError} if the file cannot be read or is invalid
 */
export function openPlayer(
  options: string | URL | MockReplayOptions,
  servers: readonly ProtocolServer[],
): RecordingApp {
  const { file, speed = 1, repeat = true } = typeof options === "string" || options instanceof URL
    ? { file: options }
    : options;
  if (!(speed > 0)) {
    throw new ConfigurationError(`speed: expected a number > 0, got ${speed}`);
  }
  const path = pathOf(file);
  const exchanges = readRecording(path);
  const log = new RequestLog();
  const player = new Player({
    file: path,
    exchanges,
    speed,
    repeat,
    servers,
    log,
    clock: systemClock,
  });
  const app = appOf(log, (request) => player.answer(request));
  return {
    fetch: (request) => app.fetch(request),
    exchanges: exchanges.length,
    close: () => {},
  };
}
