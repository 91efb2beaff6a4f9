/**
 * Random traffic through a gateway with keys and budgets, in front of providers that bill, fail and break off.
 * Money is measured where it is spent: at the provider.
 */
import assert from "node:assert/strict";
import { pipelineOf } from "../../lib/client/client.ts";
import { openAccess } from "../../lib/gateway/access/open_access.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { gatewayOf } from "./gateway.ts";
import { chunk, completion, STREAM_END } from "./model_server.ts";

/** USD per token, of prompts and answers. */
const PRICE = 1e-6;
const PRICES = [{ model: "m", input: 1, output: 1 }];
const BUDGETS = { alice: 0.004, bob: 0.002 };
const TEAM_BUDGET = 0.005;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the traffic consists of. */
export interface Traffic {
  seed: number;
  clients: number;
  /** Per client. */
  calls: number;
}

/** Sends random requests that end in every way, and checks the provider's bill and that nothing stays in use. */
export async function checkTraffic({ seed, clients, calls }: Traffic): Promise<void> {
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  /** Tokens by key. The prompt says who asks. */
  const billed = new Map<string, number>();
  let open = 0;
  const bill = (who: string, tokens: number) => billed.set(who, (billed.get(who) ?? 0) + tokens);

  /** An answer whose words are written, and billed, as they are read. */
  const streamOf = (who: string, words: number, signal: AbortSignal, isBroken: boolean) => {
    let left = words;
    open++;
    const end = () => {
      if (left !== -1) open--;
      left = -1;
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) =>
        signal.addEventListener("abort", () => {
          if (left === -1) return;
          end();
          controller.error(signal.reason);
        }),
      async pull(controller) {
        await sleep(pick(2));
        if (left === -1) return;
        if (left-- > 0) {
          bill(who, 1);
          return controller.enqueue(new TextEncoder().encode(chunk({ content: "word " })));
        }
        left = 0;
        end();
        if (isBroken) return controller.error(new TypeError("connection reset"));
        controller.enqueue(new TextEncoder().encode(STREAM_END));
        controller.close();
      },
      cancel: end,
    }, { highWaterMark: 0 });
  };

  const fetch = async (_url: string, { body, signal }: RequestInit): Promise<Response> => {
    const request = JSON.parse(String(body));
    const who = String(request.messages[0].content).split(" ")[0];
    await sleep(pick(4));
    signal!.throwIfAborted();
    switch (pick(8)) {
      case 0:
        return Response.json({ error: { message: "busy" } }, {
          status: 429,
          headers: { "retry-after-ms": "2" },
        });
      case 1:
        return Response.json({ error: { message: "broken" } }, { status: 500 });
      case 2:
        bill(who, 5);
        throw new TypeError("connection reset by peer");
      case 3:
        bill(who, 5);
        open++;
        return await new Promise((_, reject) => {
          const leave = () => {
            open--;
            reject(signal!.reason);
          };
          if (signal!.aborted) leave();
          else signal!.addEventListener("abort", leave);
        });
    }
    const words = pick(Math.min(request.max_tokens, 40)) + 1;
    bill(who, 5);
    if (request.stream !== true) {
      bill(who, 2);
      return new Response(completion("Hi there"), {
        headers: { "content-type": "application/json" },
      });
    }
    const answer = streamOf(who, words, signal as AbortSignal, pick(4) === 0);
    return new Response(answer, { headers: { "content-type": "text/event-stream" } });
  };

  const access = await openAccess({
    teams: { web: { budget: { total: TEAM_BUDGET }, concurrent: 8 } },
    maxBudgetWait: 0.05,
  });
  const secrets: Record<string, string> = {};
  for (const [name, total] of Object.entries(BUDGETS)) {
    const settings = { team: "web", budget: { total }, concurrent: 6, tpm: 1e6 };
    secrets[name] = (await access.keys.create(name, settings)).secret;
  }
  const endpoint = { model: "m", fetch, prices: PRICES, concurrencyLimit: 3 };
  const gateway = gatewayOf({
    endpoints: [
      { ...endpoint, name: "a", baseUrl: "https://a.example/v1" },
      { ...endpoint, name: "b", baseUrl: "https://b.example/v1" },
    ],
    failureThreshold: 1e6,
  }, { access, maxQueue: 10, keepAlive: 0.004, routes: { both: ["a", "b"] } });
  const statuses = new Map<number, number>();

  const client = async (number: number) => {
    const name = number % 2 === 0 ? "alice" : "bob";
    for (let i = 0; i < calls; i++) {
      const leave = new AbortController();
      const timer = setTimeout(() => leave.abort(), pick(60));
      const stream = pick(3) > 0;
      const response = await gateway.chat("both", {
        stream,
        max_tokens: 40 + pick(200),
        messages: [{ role: "user", content: `${name} asks ${"something ".repeat(4)}` }],
      }, { signal: leave.signal, headers: { authorization: `Bearer ${secrets[name]}` } });
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const reader = response.body?.getReader();
      try {
        for (let reads = pick(50); reads >= 0 && reader !== undefined; reads--) {
          if ((await reader.read()).done) break;
        }
      } catch {
        // It was aborted.
      }
      await reader?.cancel().catch(() => {});
      clearTimeout(timer);
      if (pick(10) === 0) leave.abort();
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  await gateway.app.drain();

  const context = `seed ${seed}, statuses ${JSON.stringify([...statuses])}`;
  assert.equal(open, 0, `no request is open at the provider: ${context}`);
  assert.equal(pipelineOf(gateway.pool).waiting, 0, context);
  assert.deepEqual(gateway.pool.stats.map(({ inFlight }) => inFlight), [0, 0], context);
  assert.equal(gateway.facts.length, clients * calls, context);
  const reports = access.report();
  for (const { name, inFlight } of reports) assert.equal(inFlight, 0, `${name}: ${context}`);
  let team = 0;
  for (const [name, budget] of Object.entries(BUDGETS)) {
    const paid = (billed.get(name) ?? 0) * PRICE;
    team += paid;
    const { spent } = reports.find((report) => report.name === name)!;
    assert.ok(paid <= budget, `${name} cost ${paid} of ${budget}: ${context}`);
    assert.ok(spent.total <= budget + 1e-9, `${name} was charged ${spent.total}: ${context}`);
    assert.ok(
      spent.total >= paid - 1e-9,
      `${name} cost ${paid}, charged ${spent.total}: ${context}`,
    );
  }
  assert.ok(team <= TEAM_BUDGET, context);
  const stored = await access.keys.spending();
  const total = stored.reduce((sum, { cost }) => sum + cost, 0);
  const all = reports.find(({ kind }) => kind === "all")!;
  assert.ok(Math.abs(total - all.spent.total) < 1e-9, `nothing stays reserved: ${context}`);
  await gateway.app.close();
  await access.close();
}
