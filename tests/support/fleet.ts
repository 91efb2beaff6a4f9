/** Coordinators and workers of a fleet in one process, with a counting model instead of servers. */
import type { Completions } from "../../lib/batch/completions.ts";
import type { IndexedRecord, Outcome } from "../../lib/batch/executor.ts";
import type { CallFacts } from "../../lib/chat/call_facts.ts";
import type { Message } from "../../lib/chat/messages.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import { AbortedError } from "../../lib/errors.ts";
import { Coordinator } from "../../lib/fleet/coordinator/coordinator.ts";
import type { CoordinatorOptions } from "../../lib/fleet/coordinator/coordinator_options.ts";
import { FleetWorker } from "../../lib/fleet/worker/worker.ts";
import type { WorkerOptions } from "../../lib/fleet/worker/worker_options.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import type { CallHooks } from "../../lib/scheduling/call_hooks.ts";
import { chatResult } from "./chat_result.ts";
import type { RedisServer } from "./redis_server.ts";

/** The text of a prompt. */
export function promptOf(messages: readonly Message[]): string {
  return String(messages[0].content);
}

/** Counts what is sent, like the bill of a provider, and answers `echo: PROMPT`. */
export class CountingModel {
  /** Calls for each prompt. */
  readonly calls = new Map<string, number>();
  inFlight = 0;
  maxInFlight = 0;
  /** Milliseconds that an answer takes. */
  latency = 0;
  /** Called before each answer; may throw or wait. */
  onCall: (prompt: string, options: ChatOptions) => unknown = () => {};

  get total(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The prompts that were sent more than once. */
  get repeated(): string[] {
    return [...this.calls].filter(([, count]) => count > 1).map(([prompt]) => prompt);
  }

  /** A client of its own for this model. */
  client(concurrencyLimit = 8): Completions & { failures: number } {
    const client = {
      concurrencyLimit,
      failures: 0,
      get stats() {
        return [{ failures: client.failures }];
      },
      complete: async (
        messages: readonly Message[],
        options: ChatOptions,
        hooks: CallHooks | undefined,
      ) => {
        const prompt = promptOf(messages);
        hooks?.onAttempt?.();
        this.calls.set(prompt, (this.calls.get(prompt) ?? 0) + 1);
        this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
        try {
          if (this.latency > 0) await systemClock.sleep(this.latency, options.signal);
          await this.onCall(prompt, options);
          const result = answerOf(prompt);
          hooks?.onEnd?.(factsOf(result));
          return result;
        } catch (error) {
          if (!(error instanceof AbortedError)) client.failures++;
          throw error;
        } finally {
          this.inFlight--;
        }
      },
    };
    return client;
  }
}

/** The answer to a prompt. */
export function answerOf(prompt: string): ChatResult {
  return chatResult(`echo: ${prompt}`, { cost: 0.001 });
}

function factsOf({ usage, cost }: ChatResult): CallFacts {
  return {
    at: Date.now(),
    model: "mock",
    endpoint: "mock",
    queued: 0,
    attempts: 1,
    duration: 0.01,
    usage,
    cost,
    cached: false,
    outcome: "success",
  };
}

/** Records with the prompts `r0`, `r1`, … */
export function* numbered(count: number, from = 0): Generator<IndexedRecord> {
  for (let index = from; index < count; index++) {
    yield { index, messages: [{ role: "user", content: `r${index}` }], metadata: { n: index } };
  }
}

/** A fleet on one server. */
export class Fleet implements AsyncDisposable {
  readonly model = new CountingModel();
  readonly notes: string[] = [];
  readonly #server: RedisServer;
  readonly #cleanup: (() => Promise<unknown>)[] = [];

  constructor(server: RedisServer) {
    this.#server = server;
  }

  async connect(): Promise<RedisConnection> {
    const connection = await RedisConnection.open(this.#server.address());
    this.#cleanup.push(() => connection.close());
    return connection;
  }

  /** Starts a worker. */
  async worker(
    options: Partial<WorkerOptions> = {},
  ): Promise<{ worker: FleetWorker; running: Promise<void>; connection: RedisConnection }> {
    const connection = options.connection ?? await this.connect();
    const worker = new FleetWorker({
      connection,
      connect: () => Promise.resolve({ completions: this.model.client() }),
      onNote: (text) => this.notes.push(text),
      ...options,
    });
    const running = worker.run();
    running.catch(() => {});
    this.#cleanup.unshift(() => {
      worker.abort();
      return Promise.race([running.catch(() => {}), systemClock.sleep(5000)]);
    });
    return { worker, running, connection };
  }

  async coordinator(options: Partial<CoordinatorOptions> = {}): Promise<Coordinator> {
    const connection = options.connection ?? await this.connect();
    const coordinator = await Coordinator.open({
      connection,
      job: "test",
      request: { name: "mock", models: ["mock"], baseUrls: [], template: { temperature: 0 } },
      inputId: "in.jsonl",
      onNote: (text) => this.notes.push(text),
      ...options,
    });
    this.#cleanup.unshift(() => coordinator.close());
    return coordinator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#cleanup) await step();
  }
}

/** Collects all outcomes by index; a second one for an index is a fault. */
export async function collect(
  groups: AsyncIterable<readonly Outcome[]>,
  outcomes: Map<number, Outcome> = new Map(),
): Promise<Map<number, Outcome>> {
  for await (const group of groups) {
    for (const outcome of group) {
      const { index } = outcome.record;
      if (outcomes.has(index)) throw new Error(`record ${index} came twice`);
      outcomes.set(index, outcome);
    }
  }
  return outcomes;
}

/** Checks that the records `0` to `count - 1` have the answers to their own prompts. */
export function wrongAnswers(outcomes: ReadonlyMap<number, Outcome>, count: number): string[] {
  const wrong: string[] = [];
  for (let index = 0; index < count; index++) {
    const outcome = outcomes.get(index);
    const content = outcome?.ok ? outcome.result.content : undefined;
    if (content !== `echo: r${index}`) {
      wrong.push(`${index}: ${content ?? (outcome?.ok === false ? outcome.error : "none")}`);
    }
  }
  return wrong;
}
