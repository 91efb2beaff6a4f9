import assert from "node:assert/strict";
import { download, type DownloadOptions } from "../../lib/transport/download.ts";
import { isPrivateAddress, isPrivateUrl } from "../../lib/transport/private_address.ts";
import { LLMClient, type Message } from "../../mod.ts";
import { startRawServer } from "../support/raw_server.ts";
import { watchedMock } from "../support/watched_mock.ts";

const OPTIONS: DownloadOptions = { what: "the file", maxBytes: 1000, timeout: 60 };
const ALLOWED: DownloadOptions = { ...OPTIONS, allowPrivateUrls: true };

function response(status: number, headers: string[], body = ""): string {
  return [`HTTP/1.1 ${status} X`, `content-length: ${body.length}`, ...headers, "", body]
    .join("\r\n");
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("addresses of this machine and its network are private, others are not", async () => {
  const hosts = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "①②⑦.0.0.1",
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "255.255.255.255",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "printer",
    "printer.local",
    "metadata.google.internal",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::7f00:1]",
    "[64:ff9b::10.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
  ];
  const lookup = () => Promise.resolve([{ address: "8.8.8.8" }]);
  for (const host of hosts) {
    assert.equal(await isPrivateUrl(new URL(`http://${host}/`), lookup), true, host);
  }
  const open = [
    ...["8.8.8.8", "172.32.0.1", "198.18.0.7", "host.example", "internal.example.com"],
    ...["[2001:4860:4860::8888]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]"],
  ];
  for (const host of open) {
    assert.equal(await isPrivateUrl(new URL(`http://${host}/`), lookup), false, host);
  }
  assert.equal(isPrivateAddress("fe80::1%eth0"), true);
});

Deno.test("a host name is private if one of its addresses is", async () => {
  const lookup = () => Promise.resolve([{ address: "8.8.8.8" }, { address: "::1" }]);
  assert.equal(await isPrivateUrl(new URL("https://host.example/"), lookup), true);
});

Deno.test("nothing is sent to the local network unless it is allowed", async () => {
  await using server = await startRawServer((socket) => socket.write(response(200, [], "data")));
  const port = new URL(server.baseUrl).port;
  const refused = {
    code: "invalid_input",
    message: /cannot download the file: .* is this machine or in the local network/,
    hint: /--allow-private-urls/,
  };
  const lookup = () => Promise.resolve([{ address: "127.0.0.1" }]);
  for (const host of ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "host.example"]) {
    await assert.rejects(download(`http://${host}:${port}/a`, { ...OPTIONS, lookup }), refused);
  }
  assert.equal(server.requests.length, 0);
  assert.equal(text(await download(`http://127.0.0.1:${port}/a`, ALLOWED)), "data");
});

Deno.test("every redirect is checked, and their number is limited", async () => {
  const seen: string[] = [];
  const fetch = (url: string) => {
    seen.push(url);
    const { pathname } = new URL(url);
    const [, kind, value] = pathname.split("/");
    const to: Record<string, string> = {
      relative: "/done",
      local: "http://169.254.169.254/latest/meta-data",
      file: "file:///etc/passwd",
      loop: `/loop/${Number(value) + 1}`,
      broken: "http://",
    };
    return Promise.resolve(
      kind === "done"
        ? new Response("data")
        : new Response(null, { status: 302, headers: { location: to[kind] } }),
    );
  };
  const lookup = () => Promise.resolve([{ address: "8.8.8.8" }]);
  const get = (path: string) =>
    download(`https://host.example/${path}`, { ...OPTIONS, fetch, lookup });
  assert.equal(text(await get("relative")), "data");
  assert.deepEqual(seen.splice(0), ["https://host.example/relative", "https://host.example/done"]);
  await assert.rejects(get("local"), /169\.254\.169\.254 is this machine or in the local network/);
  await assert.rejects(get("file"), /it redirects to file:, which is neither http: nor https:/);
  await assert.rejects(get("broken"), /it redirects to an invalid URL/);
  seen.length = 0;
  await assert.rejects(get("loop/0"), /it redirects more than 5 times/);
  assert.equal(seen.length, 6);
});

Deno.test("a download has a timeout and a size limit, and its error has the reason", async () => {
  await using server = await startRawServer((socket, { path }) => {
    if (path.endsWith("/large")) socket.write(response(200, [], "x".repeat(1001)));
    if (path.endsWith("/gone")) socket.write(response(410, []));
    if (path.endsWith("/cut")) socket.end("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nx");
  });
  const get = (path: string, timeout = 60) =>
    download(`${server.baseUrl}/${path}`, { ...ALLOWED, timeout });
  const failure = (message: RegExp) => ({ code: "invalid_input", message });
  await assert.rejects(get("large"), failure(/it is larger than the/));
  await assert.rejects(get("gone"), failure(/the server answered 410/));
  await assert.rejects(get("cut"), failure(/cannot download the file: the connection was closed/));
  await assert.rejects(get("silent", 0.01), failure(/no complete answer within 0\.01 s/));
  const down = await startRawServer(() => {});
  await down[Symbol.asyncDispose]();
  await assert.rejects(download(`${down.baseUrl}/x?key=k`, ALLOWED), (error: Error) => {
    assert.match(error.message, /connection refused/);
    assert.doesNotMatch(error.message, /key/);
    return true;
  });
  const lookup = () => Promise.reject(new Error("ENOTFOUND"));
  await assert.rejects(
    download("https://host.example/", { ...OPTIONS, lookup }),
    failure(/the host name host\.example could not be resolved/),
  );
});

Deno.test("a record cannot make a client fetch from the local network", async () => {
  await using mock = await watchedMock();
  await using secrets = await startRawServer((socket) => socket.write(response(200, [], "secret")));
  await using client = new LLMClient({
    provider: "gemini",
    baseUrl: mock.baseUrl.replace("/v1", "/v1beta"),
    model: "gemini-3-flash",
  });
  const messages: Message[] = [{
    role: "user",
    content: [{ type: "image_url", image_url: { url: `${secrets.baseUrl}/admin` } }],
  }];
  await assert.rejects(client.chatCompletions(messages), {
    code: "invalid_input",
    message: /cannot download the image .*: 127\.0\.0\.1 is this machine/,
  });
  assert.deepEqual([secrets.requests.length, mock.requests.length], [0, 0]);
});
