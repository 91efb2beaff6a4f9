/** The page on the gateway: its first run, its paths, its headers and its clients are as it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { startLines } from "../../commands/serve/start_text.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { resolveGateway } from "../../lib/config/resolve_gateway.ts";
import { GatewayError } from "../../lib/gateway/gateway_error.ts";
import {
  createGatewayApp,
  type GatewayApp,
  LLMClientPool,
  openAccess,
  type PriceRow,
} from "../../mod.ts";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PAGE = readFileSync(`${ROOT}docs/gateway.md`, "utf8");
const MESSAGES = [{ role: "user" as const, content: "Hello" }];

async function gateway(
  options: Parameters<typeof createGatewayApp>[1] = {},
  prices: readonly PriceRow[] = [],
): Promise<GatewayApp> {
  const pool = new LLMClientPool({
    endpoints: [{ provider: "mock", model: "mock", prices: [...prices] }],
    cache: { store: "memory" },
  });
  const access = await openAccess({ allowAnonymous: true, limits: { rpm: 100, tpm: 1_000_000 } });
  return createGatewayApp(pool, { access, ...options });
}

/** The rows of the table below a text, each as its cells. */
function tableAfter(text: string): string[][] {
  const [, , ...rows] = PAGE.slice(PAGE.indexOf(text)).match(/(?:^\|.*\n)+/m)![0].split("\n");
  return rows.filter((row) => row !== "").map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

function codeIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, text]) => text);
}

Deno.test("the request of the first run is answered", async () => {
  const [, url, body] = /curl (http:\S+) -d '([^']+)'/.exec(PAGE)!;
  await using app = await gateway();
  const response = await app.request(url, { method: "POST", body });
  assert.equal(response.status, 200);
  assert.match((await response.json()).choices[0].message.content, /Hello/);
});

Deno.test("every path of the page exists, with its method", async () => {
  await using app = await gateway();
  const paths = tableAfter("These paths are answered").flatMap(([cell]) => {
    const [first, ...rest] = codeIn(cell);
    const prefix = first.replace(/:[^:]*$/, "");
    return [first, ...rest.map((each) => each.startsWith(":") ? prefix + each : each)];
  });
  assert.ok(paths.length > 12);
  for (const each of paths) {
    const [method, path] = each.split(" ");
    const url = `http://127.0.0.1${path.replace("{model}", "mock")}`;
    const answer = async (method: string) => {
      const response = await app.request(url, { method, body: method === "POST" ? "{}" : null });
      await response.text();
      return response.status;
    };
    assert.ok(![404, 405].includes(await answer(method)), each);
    assert.equal(await answer(method === "GET" ? "POST" : "GET"), 405, each);
  }
});

Deno.test("every header of the page is sent, and no other of the gateway's own", async () => {
  const access = await openAccess({
    allowAnonymous: true,
    // Less than the longest answer costs.
    limits: { rpm: 100, tpm: 1_000_000, budget: { day: 1 } },
  });
  await using app = await gateway({ access }, [{ model: "mock", input: 1, output: 10 }]);
  const names = new Set<string>();
  const send = async (path: string, body: unknown) => {
    const response = await app.request(`http://127.0.0.1${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
    for (const name of response.headers.keys()) names.add(name);
  };
  await send("/v1/chat/completions", { model: "mock", messages: MESSAGES });
  const cached = [{ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }];
  const messages = [{ role: "user", content: cached }];
  await send("/v1/messages", { model: "mock", max_tokens: 100, messages });
  const listed = tableAfter("## Answers").flatMap(([cell]) => {
    const [first, ...rest] = codeIn(cell);
    return [first, ...rest.map((name) => name.startsWith("-") ? `x-flexllm${name}` : name)];
  });
  const own = [...names].filter((name) => name.startsWith("x-flexllm-"));
  assert.deepEqual(listed.filter((name) => name.startsWith("x-flexllm-")).sort(), own.sort());
  for (const name of listed.filter((name) => name.endsWith("*"))) {
    assert.ok([...names].some((each) => each.startsWith(name.slice(0, -1))), name);
  }
});

Deno.test("the variables of the start-up text are those of the page", () => {
  using folder = temporaryFolder();
  const config = loadConfig({ FLEXLLM_HOME: folder.path }, folder.path, undefined);
  const settings = resolveGateway(config, { FLEXLLM_HOME: folder.path }, { model: ["mock"] });
  const url = `http://${settings.host}:${settings.port}`;
  const facts = { url, requiresKey: true, page: "open", create: "" } as const;
  const lines = startLines(settings, facts).filter((line) => line.includes("export "));
  assert.ok(lines.length > 2);
  const settingsOf = tableAfter("## Clients").flatMap(([, cell]) => codeIn(cell));
  for (const line of lines) {
    for (const assignment of line.split("export ")[1].split(" ")) {
      assert.ok(settingsOf.includes(assignment), assignment);
    }
  }
});

Deno.test("statuses of refusals are listed", async () => {
  const listed = tableAfter("The gateway's own errors").flatMap(([cell]) => cell.split(", "));
  const refusal = await openAccess({}).then((access) => access.authenticate(undefined))
    .catch((error) => error);
  assert.ok(refusal instanceof GatewayError && listed.includes(String(refusal.status)));
  await using app = await gateway();
  const status = async (path: string, init: RequestInit) => {
    const response = await app.request(`http://127.0.0.1${path}`, init);
    await response.text();
    return String(response.status);
  };
  const statuses = [
    await status("/v1/chat/completions", { method: "POST", body: "{" }),
    await status("/nowhere", {}),
    await status("/v1/messages", {}),
    await status("/v1/messages", {
      method: "POST",
      body: "{}",
      headers: { "content-encoding": "lzma" },
    }),
  ];
  app.drain();
  statuses.push(
    await status("/v1/messages", {
      method: "POST",
      body: JSON.stringify({ model: "mock", max_tokens: 1, messages: MESSAGES }),
    }),
  );
  assert.deepEqual(statuses, ["400", "404", "405", "415", "503"]);
  for (const each of statuses) assert.ok(listed.includes(each), each);
});
