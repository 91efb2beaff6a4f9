/** Encrypted connections: a private certificate authority, and a connection that is cut. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseRedisAddress } from "../../lib/redis/redis_address.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";
import { freePort, RedisServer, redisServer } from "../support/redis_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const URL_VARIABLE = "FLEXLLM_TEST_TLS_URL";

/** Creates a certificate authority, and a certificate for this machine. */
function createCertificates(folder: TemporaryFolder): void {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync("openssl", args, { cwd: folder.path, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA");
  openssl("req", ...key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=redis");
  const names = folder.write("names.txt", "subjectAltName=IP:127.0.0.1\n");
  const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl(
    ...["x509", "-req", "-in", "request.pem", "-out", "certificate.pem", "-extfile", names],
    ...authority,
  );
}

/** Another process, since authorities are read at the start of one. Prints a line for each change. */
async function runClient(url: string): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  try {
    const connection = await RedisConnection.open(parseRedisAddress(url, "test"));
    connection.watch({ onDown: () => print("down"), onUp: () => print("up") });
    print("up");
    setInterval(() => connection.command(["INCR", "count"]).catch(() => {}), 20);
  } catch (error) {
    print(`${error}`);
    process.exit(1);
  }
}

const url = process.env[URL_VARIABLE];
if (url !== undefined) {
  await runClient(url);
} else {
  const ignore = redisServer === undefined || process.platform === "win32" ||
    spawnSync("openssl", ["version"], { stdio: "ignore" }).status !== 0;

  Deno.test("rediss:// checks the certificate, and connects again", { ignore }, async () => {
    using folder = temporaryFolder();
    createCertificates(folder);
    const port = await freePort();
    await using _server = await RedisServer.start(
      ...["--tls-port", String(port), "--tls-auth-clients", "no"],
      ...["--tls-cert-file", folder.file("certificate.pem")],
      ...["--tls-key-file", folder.file("key.pem"), "--tls-ca-cert-file", folder.file("ca.pem")],
    );
    await using proxy = await TcpProxy.start(port);
    const file = fileURLToPath(import.meta.url);
    // Only Deno has `version.deno`.
    const args = "deno" in process.versions ? ["run", "--quiet", "-A", file] : [file];
    const start = (authority: Record<string, string>) =>
      spawn(process.execPath, args, {
        env: { ...process.env, ...authority, [URL_VARIABLE]: proxy.url("rediss") },
        stdio: ["ignore", "pipe", "inherit"],
      });
    let text = "";
    for await (const chunk of start({}).stdout!) text += chunk;
    assert.match(text, /certificate/i);

    const authority = folder.file("ca.pem");
    const client = start({ NODE_EXTRA_CA_CERTS: authority });
    const lines: string[] = [];
    for await (const chunk of client.stdout!) {
      lines.push(...String(chunk).trim().split("\n"));
      if (lines.length === 1) proxy.cut();
      if (lines.length >= 3) break;
    }
    client.kill("SIGKILL");
    assert.deepEqual(lines, ["up", "down", "up"]);
  });
}
