/**
 * A server of Chat Completions in a process of its own, which records what a service would: when each request
 * arrives, how many are in flight, and what it bills. Prints its URL, and exits when its stdin is closed.
 *
 * Argument: JSON with the fields of {@link UpstreamOrder}.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { text } from "node:stream/consumers";
import { machineTime, type Stall, watchStalls } from "./stalls.ts";

/** What the server does. */
export interface UpstreamOrder {
  host: string;
  /** Milliseconds until an answer. */
  delay: number;
}

/** What the server has recorded. Times are in milliseconds. */
export interface Meter {
  /** When each request arrived, and who sent it: its field `user`. */
  arrivals: [time: number, user: string][];
  /** When this process was held up, so that what arrived meanwhile was recorded late. */
  stalls: Stall[];
  /** The answers to each prompt. */
  answers: Record<string, number>;
  tokens: number;
  mostInFlight: number;
}

/** Tokens of each prompt and each answer. */
export const PROMPT_TOKENS = 10;
export const ANSWER_TOKENS = 20;

function run({ host, delay }: UpstreamOrder): void {
  const meter: Meter = { arrivals: [], stalls: [], answers: {}, tokens: 0, mostInFlight: 0 };
  let inFlight = 0;
  watchStalls((stall) => meter.stalls.push(stall));
  const server = createServer(async (request, response) => {
    const time = machineTime();
    response.on("error", () => {});
    if (request.method === "GET") return void response.end(JSON.stringify(meter));
    meter.mostInFlight = Math.max(meter.mostInFlight, ++inFlight);
    response.on("close", () => inFlight--);
    const { messages, user = "" } = JSON.parse(await text(request));
    const prompt = String(messages.at(-1).content);
    meter.arrivals.push([time, user]);
    await new Promise((resolve) => setTimeout(resolve, delay));
    // Like a service, it bills an answer also if nobody is left to read it.
    meter.answers[prompt] = (meter.answers[prompt] ?? 0) + 1;
    meter.tokens += PROMPT_TOKENS + ANSWER_TOKENS;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [{
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: `The answer to ${prompt}` },
      }],
      usage: {
        prompt_tokens: PROMPT_TOKENS,
        completion_tokens: ANSWER_TOKENS,
        total_tokens: PROMPT_TOKENS + ANSWER_TOKENS,
      },
    }));
  });
  server.listen(0, host, () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`http://${host}:${port}/v1\n`);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}

if (import.meta.main) run(JSON.parse(process.argv[2]));
