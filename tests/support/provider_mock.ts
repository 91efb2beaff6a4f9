/** A mock server with batch APIs, whose jobs proceed when a test advances its clock. */
import { type MockBatchOptions, startMockServer } from "../../mod.ts";

/** Seconds from the creation of a job to its end. */
const DURATION = 1000;

/** What the mock has ever seen. */
export interface Ledger {
  jobs: { id: string; status: string; rows: number; billed: number }[];
  totals: { jobs: number; rows: number; billed: number; billed_twice: number };
}

export interface ProviderMock extends AsyncDisposable {
  baseUrl: string;
  /** The address without the path. */
  origin: string;
  ledger(): Promise<Ledger>;
  /** Advances the clock by a share of a job's duration. */
  advance(share: number): Promise<void>;
  /** Waits until the mock has `count` jobs. */
  jobs(count: number): Promise<void>;
  /** Waits until a job is polled. */
  polled(): Promise<void>;
  /** Advances the clock until disposed of, so that every job ends sooner or later. */
  running(): Disposable;
}

async function json(response: Response) {
  return await response.json();
}

/** Starts the mock. */
export async function providerMock(options: MockBatchOptions = {}): Promise<ProviderMock> {
  const server = await startMockServer({
    port: 0,
    batch: { duration: DURATION, ...options },
  });
  const origin = new URL(server.baseUrl).origin;
  const ledger = async () => await json(await fetch(`${origin}/__mock/batches`)) as Ledger;
  const advance = async (share: number) => {
    await json(
      await fetch(`${origin}/__mock/batches/clock`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ advance: share * DURATION }),
      }),
    );
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  return {
    baseUrl: server.baseUrl,
    origin,
    ledger,
    advance,
    async jobs(count) {
      while ((await ledger()).totals.jobs < count) await pause();
    },
    async polled() {
      const log = `${origin}/__mock/requests`;
      await (await fetch(log, { method: "DELETE" })).body?.cancel();
      const isPoll = ({ path }: { path: string }) => /\/batches\/batch_\w+$/.test(path);
      while (!(await json(await fetch(log))).requests.some(isPoll)) await pause();
    },
    running() {
      let isStopped = false;
      (async () => {
        while (!isStopped) {
          await advance(0.1);
          await pause();
        }
      })().catch(() => {});
      return { [Symbol.dispose]: () => void (isStopped = true) };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
