/** `flexllm serve` as a user runs it: first run, keys, refused addresses, reload, drain and status. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { commandLine, flexllm, type Running, start } from "../support/cli.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const BODY = { model: "mock", messages: [{ role: "user", content: "Hello" }] };

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Collects what a command writes to stderr. */
function stderrOf(running: Running): () => string {
  let text = "";
  running.process.stderr!.on("data", (chunk) => text += chunk);
  return () => text;
}

async function urlOf(running: Running): Promise<string> {
  await until(() =>
    /listening on \S+\n/.test(running.stdout()) || running.process.exitCode !== null
  );
  return running.stdout().match(/http:\S+/)![0];
}

async function stop(running: Running) {
  running.signal("SIGTERM");
  const finished = await running.finished;
  assert.equal(finished.code, 0, finished.stderr);
  return finished;
}

function post(url: string, path: string, body: unknown, headers: HeadersInit = {}) {
  return fetch(url + path, { method: "POST", body: JSON.stringify(body), headers });
}

function envOf(home: TemporaryFolder): Record<string, string> {
  return { HOME: home.path };
}

Deno.test("serve -m mock answers every format without a configuration", async () => {
  await using running = start(["serve", "-m", "mock", "-p", "0", "--access-log"]);
  const url = await urlOf(running);
  const chat = await (await post(url, "/v1/chat/completions", BODY)).json();
  assert.match(chat.choices[0].message.content, /Hello/);
  const messages = { ...BODY, max_tokens: 100, stream: true };
  const stream = await (await post(url, "/v1/messages?beta=true", messages)).text();
  assert.match(stream, /event: message_start[\s\S]*event: message_stop/);
  const responses = await (await post(url, "/v1/responses", { model: "mock", input: "Hi" })).json();
  assert.equal(responses.status, "completed");
  const contents = [{ role: "user", parts: [{ text: "Hi" }] }];
  const gemini = await post(url, "/v1beta/models/mock:generateContent", { contents });
  assert.equal((await gemini.json()).candidates[0].content.role, "model");
  const models = await (await fetch(`${url}/v1/models`)).json();
  assert.deepEqual(models.data.map(({ id }: { id: string }) => id), ["mock"]);
  const { stdout, stderr } = await stop(running);
  assert.match(stdout, / 200 .* POST \/v1\/chat\/completions {2}mock/);
  assert.match(stdout, / 200 .* POST \/v1\/messages {2}mock {2}stream/);
  assert.equal(stderr, "", "without a terminal, there is no text for people");
});

Deno.test("a key is created, used, limited, disabled and deleted while the gateway runs", async () => {
  using home = temporaryFolder();
  const env = envOf(home);
  const keys = (...args: string[]) => flexllm(["serve", "virtual-key", ...args], { env });
  await using running = start(["serve", "-m", "mock", "-p", "0", "-q", "--access-log", "json"], {
    env,
  });
  const errors = stderrOf(running);
  // Otherwise the second one may be the first to open the database.
  await until(() => existsSync(home.file(".flexllm/gateway.db.lock")));
  await using second = start(["serve", "-m", "mock", "-p", "0"], { env });
  const refused = await second.finished;
  assert.equal(refused.code, 1, "one gateway at a time uses a database");
  assert.match(refused.stderr, /gateway\.db/);
  // A quiet gateway prints no address; the access log of its first request shows that it is up.
  assert.equal(errors(), "");
  running.signal("SIGTERM");
  assert.equal((await running.finished).code, 0);

  await using gateway = start(["serve", "-m", "mock", "-p", "0"], { env });
  const url = await urlOf(gateway);
  const call = (key?: string) =>
    post(
      url,
      "/v1/chat/completions",
      BODY,
      key === undefined ? {} : {
        authorization: `Bearer ${key}`,
      },
    );
  assert.equal((await (await call()).json()).object, "chat.completion");
  const created = await keys("create", "alice", "--rpm", "3", "--model", "mock");
  assert.equal(created.code, 0, created.stderr);
  const secret = created.stdout.trim();
  assert.match(created.stdout, /^sk-flexllm-\S{43}\n$/);
  assert.match(created.stderr, /Created the key alice: 3 rpm, only mock/);
  assert.match(created.stderr, /the gateway requires a key/);
  assert.equal((await keys("create", "alice")).code, 1);
  const statusOf = async (key?: string) => {
    const response = await call(key);
    await response.text();
    return response.status;
  };
  // A running gateway looks for new keys at most once a second.
  while (await statusOf() === 200);
  assert.equal(await statusOf(), 401);
  assert.equal(await statusOf("sk-wrong"), 401);
  for (let i = 0; i < 3; i++) assert.equal(await statusOf(secret), 200);
  assert.equal(await statusOf(secret), 429);

  const rotated = (await keys("rotate", "alice")).stdout.trim();
  assert.notEqual(rotated, secret);
  const updated = await keys("update", "alice", "--rpm", "none", "--name", "bob");
  assert.match(updated.stdout, /Updated the key bob: only mock/);
  while (await statusOf(rotated) !== 200);
  assert.equal(await statusOf(secret), 401);
  const [listed] = JSON.parse((await keys("list", "--json")).stdout);
  assert.deepEqual([listed.name, listed.state, listed.models], ["bob", "active", ["mock"]]);
  assert.doesNotMatch((await keys("list")).stdout, new RegExp(rotated));
  assert.equal((await keys("disable", "bob")).code, 0);
  while (await statusOf(rotated) === 200);
  assert.equal(await statusOf(rotated), 401);
  const unknown = await keys("enable", "bbo");
  assert.deepEqual([unknown.code, /no key named "bbo"/.test(unknown.stderr)], [1, true]);
  assert.equal((await keys("delete", "bob")).code, 0);
  assert.match((await keys("list")).stderr, /No virtual keys/);
  await stop(gateway);
});

Deno.test("an address that others can reach is refused without an active key", async () => {
  using home = temporaryFolder();
  const env = envOf(home);
  const args = ["serve", "-m", "mock", "--host", "0.0.0.0", "-p", "0"];
  const refused = await flexllm(args, { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refusing to listen on 0\.0\.0\.0/);
  assert.match(refused.stderr, /: flexllm serve virtual-key create NAME$/m);
  assert.match(refused.stderr, /: flexllm serve --host 127\.0\.0\.1$/m);
  const { stdout } = await flexllm(["serve", "virtual-key", "create", "a"], { env });
  await flexllm(["serve", "virtual-key", "disable", "a"], { env });
  assert.equal((await flexllm(args, { env })).code, 1, "a disabled key does not count");
  await flexllm(["serve", "virtual-key", "enable", "a"], { env });
  await using running = start(args, { env });
  const errors = stderrOf(running);
  const url = await urlOf(running);
  await until(() => /set FLEXLLM_ADMIN_KEY/.test(errors()));
  const status = await fetch(`${url}/status`);
  await status.text();
  assert.ok([401, 403].includes(status.status), "the page is closed without an admin key");
  const answered = await post(url, "/v1/chat/completions", BODY, { "x-api-key": stdout.trim() });
  assert.equal((await answered.json()).object, "chat.completion");
  await stop(running);
});

Deno.test("SIGHUP reloads the configuration; a broken one changes nothing", async () => {
  using home = temporaryFolder();
  const write = (routes: string) =>
    home.write(
      "config.yaml",
      `models:\n  - {id: mock, provider: mock}\nserve:\n  port: 0\n  routes:\n    ${routes}\n`,
    );
  const file = write("one: mock");
  await using running = start(["serve", "--config", file], { env: envOf(home) });
  const errors = stderrOf(running);
  const url = await urlOf(running);
  const names = async () => {
    const { data } = await (await fetch(`${url}/v1/models`)).json();
    return data.map(({ id }: { id: string }) => id);
  };
  assert.deepEqual(await names(), ["mock", "one"]);
  const open = await post(url, "/v1/chat/completions", { ...BODY, stream: true });
  write("two: mokc");
  running.signal("SIGHUP");
  await until(() => /was not reloaded/.test(errors()));
  assert.match(errors(), /config\.yaml:6:10: serve\.routes\.two: no model "mokc" in models/);
  assert.match(errors(), /Did you mean mock\?/);
  assert.deepEqual(await names(), ["mock", "one"]);
  write("two: mock");
  running.signal("SIGHUP");
  await until(() => /Reloaded the configuration/.test(errors()));
  assert.deepEqual(await names(), ["mock", "two"]);
  assert.match(await open.text(), /\[DONE\]/, "a stream survives");
  await stop(running);
});

/** A mock whose streams take a while, and a gateway in front of it. */
async function startSlow(home: TemporaryFolder, flags: string[] = []) {
  const mock = start(["mock", "-p", "0", "--token-rate", "20", "-l", "400", "--access-log"]);
  const upstream = await urlOf(mock);
  const args = ["serve", "-p", "0", "-m", "m", "--base-url", upstream, ...flags];
  const gateway = start(args, { env: { ...envOf(home), FLEXLLM_API_KEY: "key" } });
  const url = await urlOf(gateway);
  const response = await post(url, "/v1/chat/completions", { ...BODY, model: "m", stream: true });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? "";
  const rest = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    return text;
  };
  return { mock, gateway, url, rest, errors: stderrOf(gateway) };
}

Deno.test("SIGTERM lets a stream finish and refuses new calls meanwhile", async () => {
  using home = temporaryFolder();
  const { mock, gateway, url, rest, errors } = await startSlow(home);
  await using _mock = mock;
  await using _gateway = gateway;
  gateway.signal("SIGTERM");
  await until(() => /waiting up to 10 min for 1 request in flight/.test(errors()));
  const ready = await fetch(`${url}/health/ready`);
  await ready.text();
  assert.equal(ready.status, 503);
  const refused = await post(url, "/v1/chat/completions", { ...BODY, model: "m" });
  await refused.text();
  assert.equal(refused.status, 503);
  assert.match(await rest(), /\[DONE\]/);
  assert.equal((await gateway.finished).code, 0);
});

Deno.test("a second signal ends streams with an error event", async () => {
  using home = temporaryFolder();
  const { mock, gateway, rest, errors } = await startSlow(home);
  await using _mock = mock;
  await using _gateway = gateway;
  gateway.signal("SIGTERM");
  await until(() => /in flight/.test(errors()));
  gateway.signal("SIGINT");
  const text = await rest();
  assert.match(text, /"error":/);
  assert.doesNotMatch(text, /\[DONE\]/);
  assert.equal((await gateway.finished).code, 130);
  await until(() => /client left/.test(mock.stdout()));
});

Deno.test("streams that outlast --drain are ended", async () => {
  using home = temporaryFolder();
  const { mock, gateway, rest, errors } = await startSlow(home, ["--drain", "100ms"]);
  await using _mock = mock;
  await using _gateway = gateway;
  gateway.signal("SIGTERM");
  assert.match(await rest(), /"error":/);
  assert.equal((await gateway.finished).code, 3);
  assert.match(errors(), /Ended 1 request that took longer than 0\.1 s/);
});

Deno.test("a client that leaves ends the request to the provider", async () => {
  using home = temporaryFolder();
  const { mock, gateway, url } = await startSlow(home);
  await using _mock = mock;
  await using _gateway = gateway;
  const body = JSON.stringify({ ...BODY, model: "m" });
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
  socket.on("error", () => {});
  // The request is at the provider, which has not answered yet.
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.destroy();
  await until(() => /client left/.test(mock.stdout()));
});

Deno.test("a gateway that was killed starts again with its keys", async () => {
  using home = temporaryFolder();
  const env = envOf(home);
  const { stdout } = await flexllm(["serve", "virtual-key", "create", "a"], { env });
  const first = start(["serve", "-m", "mock", "-p", "0"], { env });
  await urlOf(first);
  first.signal("SIGKILL");
  await first.finished;
  await using again = start(["serve", "-m", "mock", "-p", "0"], { env });
  const url = await urlOf(again);
  const answered = await post(url, "/v1/chat/completions", BODY, {
    authorization: `Bearer ${stdout.trim()}`,
  });
  await answered.text();
  assert.equal(answered.status, 200);
  await stop(again);
});

Deno.test("serve status shows a running gateway, and says when there is none", async () => {
  using home = temporaryFolder();
  const env = { ...envOf(home), FLEXLLM_ADMIN_KEY: "admin-secret" };
  await using running = start(["serve", "-m", "mock", "-p", "0"], { env });
  const url = await urlOf(running);
  await (await post(url, "/v1/chat/completions", { ...BODY, model: "nope" })).text();
  const shown = await flexllm(["serve", "status", "--url", `${url}/v1`], { env });
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^flexllm \S+ at http:\S+ \(\w+ \S+\), up for /);
  assert.match(shown.stdout, /^ready, 0 requests in flight/m);
  assert.match(shown.stdout, /^Endpoints\nname +state .*\nmock +up /m);
  assert.match(shown.stdout, /^Recent errors\n.*\n.* 404 +nope /m);
  const port = new URL(url).port;
  const json = await flexllm(["serve", "status", "-p", port, "--json"], { env });
  assert.equal(JSON.parse(json.stdout).endpoints[0].name, "mock");
  const wrong = await flexllm(["serve", "status", "-p", port], { env: envOf(home) });
  assert.deepEqual([wrong.code, /FLEXLLM_ADMIN_KEY/.test(wrong.stderr)], [1, true]);
  await stop(running);
  const none = await flexllm(["serve", "status", "-p", port], { env });
  assert.deepEqual([none.code, /no gateway answers at http:/.test(none.stderr)], [3, true]);
});

Deno.test("every line of serve's --access-log json is JSON", async () => {
  await using running = start(["serve", "-m", "mock", "-p", "0", "--access-log", "json"]);
  const errors = stderrOf(running);
  await until(() => /listening on \S+\n/.test(errors()));
  const url = errors().match(/http:\S+/)![0];
  await (await post(url, "/v1/chat/completions?key=sk-secret-in-query", BODY)).text();
  const { stdout } = await stop(running);
  const [line] = jsonLines(stdout);
  assert.deepEqual([line.path, line.status, line.route, line.outcome], [
    "/v1/chat/completions",
    200,
    "mock",
    "success",
  ]);
  assert.doesNotMatch(stdout, /sk-secret|Hello/);
});

Deno.test("a word that is no command gets a suggestion", async () => {
  const { code, stderr } = await flexllm(["serve", "statsu"]);
  assert.equal(code, 1);
  assert.match(stderr, /unknown command "statsu"\nDid you mean flexllm serve status\?/);
});

Deno.test("serve survives more connections than it may open files", async () => {
  const command = commandLine().map((part) => `'${part}'`).join(" ");
  const shell = ["-c", `ulimit -n 100; exec ${command} serve -m mock -p 0`];
  await using running = start([], { shell });
  const url = await urlOf(running);
  const { port, hostname } = new URL(url);
  const sockets = Array.from({ length: 200 }, () => connect(Number(port), hostname));
  const answers = sockets.map((socket) =>
    new Promise<void>((resolve) => {
      socket.on("error", () => resolve()).on("close", resolve).on("data", () => resolve());
      socket.write("GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n");
    })
  );
  // The first connections are served, however many the system holds back.
  await answers[0];
  for (const socket of sockets) socket.destroy();
  let status = 0;
  while (status !== 200 && running.process.exitCode === null) {
    status = await post(url, "/v1/chat/completions", BODY).then(({ status }) => status, () => 0);
  }
  assert.equal(status, 200);
  await stop(running);
});
