/**
 * The installers, against a server with good, damaged and missing files. install.ps1 runs if PowerShell is
 * installed; its syntax is always checked.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { ROOT } from "../support/cli.ts";
import { httpAnswer, type RawServer, startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const GOOD = '#!/bin/sh\necho "flexllm 9.9.9"\n';
const LONGEST = 120_000;

/** The content of a file: a string is UTF-8. */
type Content = string | Buffer;

function sumsOf(files: Record<string, Content>): string {
  const hash = (content: Content) => createHash("sha256").update(content).digest("hex");
  return Object.entries(files).map(([name, content]) => `${hash(content)}  ${name}\n`).join("");
}

/** How files are damaged in transit. */
type Damage = "none" | "changed" | "cut" | "cut unseen";

/** Serves releases. Files that are not given are missing. */
function serveFiles(files: Record<string, Content>, damage: Damage = "none"): Promise<RawServer> {
  return startRawServer((socket, { path }) => {
    const content = files[path.replace("/v1/releases", "")];
    if (content === undefined) return void socket.end(httpAnswer(404, "not found"));
    if (typeof content !== "string") {
      const body = damage === "none" ? content : Buffer.from(content).fill(0, content.length - 4);
      const head = httpAnswer(200, "").replace(
        "content-length: 0",
        `content-length: ${body.length}`,
      );
      return void socket.end(Buffer.concat([Buffer.from(head), body]));
    }
    const isBinary = !path.endsWith("SHA256SUMS");
    if (damage === "none" || !isBinary) return void socket.end(httpAnswer(200, content));
    if (damage === "changed") {
      return void socket.end(httpAnswer(200, content.replace("9.9.9", "6.6.6")));
    }
    const length = damage === "cut" ? `content-length: ${content.length}\r\n` : "";
    const head = `HTTP/1.1 200 OK\r\n${length}connection: close\r\n\r\n`;
    socket.end(head + content.slice(0, 12));
  });
}

/** The files of a release under both of its URLs. */
function releaseOf(
  binaries: Record<string, Content>,
  sums = sumsOf(binaries),
  version = "9.9.9",
): Record<string, Content> {
  const files = Object.entries({ ...binaries, SHA256SUMS: sums });
  const places = ["/latest/download", `/download/v${version}`];
  return Object.fromEntries(
    places.flatMap((place) => files.map(([name, content]) => [`${place}/${name}`, content])),
  );
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<Ended> {
  const child = spawn(command, args, { env, timeout: LONGEST, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

function pathOf(program: string): string | undefined {
  const { status, stdout } = spawnSync("/bin/sh", ["-c", `command -v ${program}`], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** One way to run an installer. */
interface Installer {
  name: string;
  /** The file name of this platform's binary. */
  file: string;
  /** The name of the installed file. */
  installed: string;
  install(server: RawServer, folder: string, ...args: string[]): Promise<Ended>;
}

const BASICS = "awk chmod cut mkdir mktemp mv rm sh".split(" ");

/** A folder with only the named programs, and a fake `uname`. */
function programs(folder: TemporaryFolder, names: readonly string[], uname: string): string {
  const bin = folder.file("bin");
  mkdirSync(bin);
  for (const name of [...BASICS, ...names]) symlinkSync(pathOf(name)!, join(bin, name));
  const [system, machine] = uname.split(" ");
  const script = `#!/bin/sh\n[ "$1" = -s ] && echo ${system} || echo ${machine}\n`;
  chmodSync(folder.write("bin/uname", script), 0o755);
  return bin;
}

function shellInstaller(downloader: string, hasher: string): Installer {
  return {
    name: `install.sh with ${downloader} and ${hasher}`,
    file: "flexllm-linux-x64",
    installed: "flexllm",
    async install(server, folder, ...args) {
      using tools = temporaryFolder();
      return await run("/bin/sh", [`${ROOT}install.sh`, ...args], {
        PATH: programs(tools, [downloader, hasher, "gzip"], "Linux x86_64"),
        FLEXLLM_INSTALL: folder,
        FLEXLLM_RELEASES_URL: `${server.baseUrl}/releases`,
      });
    },
  };
}

const HASHERS = ["sha256sum", "shasum", "openssl"].filter(pathOf);
const INSTALLERS = ["curl", "wget"].filter(pathOf).flatMap((downloader, i) =>
  (i === 0 ? HASHERS : HASHERS.slice(0, 1)).map((hasher) => shellInstaller(downloader, hasher))
);
const pwsh = pathOf("pwsh");
if (pwsh !== undefined) {
  INSTALLERS.push({
    name: "install.ps1",
    file: "flexllm-windows-x64.exe",
    installed: "flexllm.exe",
    install: (server, folder, ...args) =>
      run(pwsh, ["-NoProfile", "-File", `${ROOT}install.ps1`, ...args], {
        ...process.env as Record<string, string>,
        FLEXLLM_INSTALL: folder,
        FLEXLLM_RELEASES_URL: `${server.baseUrl}/releases`,
      }),
  });
}

for (const { name, file, installed, install } of INSTALLERS) {
  Deno.test(`${name} installs the latest release, or the one named`, async () => {
    const old = GOOD.replace("9.9.9", "1.2.3");
    await using server = await serveFiles({
      ...releaseOf({ [file]: old }, undefined, "1.2.3"),
      ...releaseOf({ other: "x", [file]: GOOD }),
    });
    using folder = temporaryFolder();
    // It does not exist yet, and its name contains a space.
    const target = folder.file("new folder");
    const { code, stdout, stderr } = await install(server, target);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^Installed flexllm 9\.9\.9 as .*new folder.*\r?\n.*new folder is not on your PATH/,
    );
    assert.equal(readFileSync(join(target, installed), "utf8"), GOOD);
    for (const version of ["1.2.3", "v1.2.3"]) {
      const { code, stdout, stderr } = await install(server, target, version);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^Installed flexllm 1\.2\.3/);
    }
    assert.deepEqual(readdirSync(target), [installed]);
  });

  Deno.test(`${name} prefers the compressed binary, and verifies it`, async () => {
    const files = { [file]: "not downloaded", [`${file}.gz`]: gzipSync(GOOD) };
    await using server = await serveFiles(releaseOf(files));
    using folder = temporaryFolder();
    const { code, stderr } = await install(server, folder.path);
    assert.equal(code, 0, stderr);
    assert.equal(folder.read(installed), GOOD);
    assert.deepEqual(readdirSync(folder.path), [installed]);
    await using damaged = await serveFiles(releaseOf(files), "changed");
    const failed = await install(damaged, folder.path);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /checksum of \S+\.gz is wrong/);
    assert.equal(folder.read(installed), GOOD);
  });

  Deno.test(`${name} installs nothing if the checksum is wrong`, async () => {
    for (const damage of ["changed", "cut", "cut unseen"] as const) {
      await using server = await serveFiles(releaseOf({ [file]: GOOD }), damage);
      using folder = temporaryFolder();
      folder.write(installed, "the old one");
      const { code, stdout, stderr } = await install(server, folder.path);
      assert.deepEqual([code, stdout], [1, ""], damage);
      assert.match(stderr, /checksum of \S+ is wrong|cannot download|prematurely|ended/, damage);
      assert.equal(folder.read(installed), "the old one", damage);
      assert.deepEqual(readdirSync(folder.path), [installed], damage);
    }
  });

  Deno.test(`${name} reports a missing release, file or checksum`, async () => {
    using folder = temporaryFolder();
    const cases: [files: Record<string, Content>, message: RegExp, ...args: string[]][] = [
      [{}, /SHA256SUMS|404/],
      [{}, /SHA256SUMS|404/, "3.0.0"],
      [releaseOf({}, sumsOf({ [file]: GOOD })), /cannot download \S+|404/],
      [releaseOf({ [file]: GOOD }, sumsOf({ [`${file}x`]: GOOD })), /has no checksum for/],
      [releaseOf({ [file]: GOOD }, `${"0".repeat(63)}  ${file}\n`), /has no checksum for/],
      [releaseOf({ [file]: GOOD }, "<html>no such page</html>"), /has no checksum for/],
      [releaseOf({ [file]: "#!/bin/sh\nexit 3\n" }), /does not run on this system/],
      [{}, /expected a version such as 0\.2\.0, got "\.\.\/x"/, "../x"],
      [{}, /expected a version such as 0\.2\.0, got "1\/\.\.\/x"/, "1/../x"],
    ];
    for (const [files, message, ...args] of cases) {
      await using server = await serveFiles(files);
      const { code, stdout, stderr } = await install(server, folder.path, ...args);
      assert.deepEqual([code, stdout], [1, ""], stderr);
      assert.match(stderr, message);
      assert.deepEqual(readdirSync(folder.path), []);
    }
  });
}

/** Runs install.sh on a fake system. */
async function installOn(uname: string, server: RawServer, tools: string[]): Promise<Ended> {
  using folder = temporaryFolder();
  return await run("/bin/sh", [`${ROOT}install.sh`], {
    PATH: programs(folder, tools, uname),
    FLEXLLM_INSTALL: folder.file("to"),
    FLEXLLM_RELEASES_URL: `${server.baseUrl}/releases/`,
  });
}

Deno.test("install.sh downloads the binary for this system", async () => {
  await using server = await serveFiles({ "/latest/download/SHA256SUMS": "" });
  const systems = {
    "Linux x86_64": "linux-x64",
    "Linux aarch64": "linux-arm64",
    "Darwin arm64": "macos-arm64",
    "Darwin x86_64": "macos-x64",
  };
  for (const [uname, name] of Object.entries(systems)) {
    const { stderr } = await installOn(uname, server, ["curl", "sha256sum"]);
    assert.match(stderr, new RegExp(`no checksum for flexllm-${name}\n`));
  }
  const none = async (uname: string) => (await installOn(uname, server, [])).stderr;
  assert.match(await none("SunOS sun4v"), /no binary for SunOS\nOn Windows, use install\.ps1/);
  assert.match(await none("Linux riscv64"), /no binary for riscv64 processors/);
  assert.match(await none("Linux x86_64"), /neither curl nor wget is installed/);
});

Deno.test("a truncated install.sh does nothing", async () => {
  await using server = await serveFiles({});
  const script = readFileSync(`${ROOT}install.sh`, "utf8");
  using folder = temporaryFolder();
  const cut = folder.write("cut.sh", script.slice(0, script.lastIndexOf("main ")));
  const env = { PATH: "/usr/bin:/bin", FLEXLLM_INSTALL: folder.file("to") };
  const { code, stdout } = await run("/bin/sh", [cut], {
    ...env,
    FLEXLLM_RELEASES_URL: server.baseUrl,
  });
  assert.deepEqual([code, stdout, server.requests.length], [0, "", 0]);
  assert.ok(!existsSync(folder.file("to")));
});

// A CommonJS package: it needs require().
const require = createRequire(import.meta.url);

Deno.test("install.ps1 has valid syntax", async () => {
  const main = require.resolve("@vscode/tree-sitter-wasm");
  const { Parser, Language } = require("@vscode/tree-sitter-wasm");
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(join(dirname(main), "tree-sitter-powershell.wasm")));
  const script = readFileSync(`${ROOT}install.ps1`, "utf8");
  assert.equal(parser.parse(script).rootNode.hasError, false);
  assert.equal(parser.parse(script.replace("} finally {", "finally {")).rootNode.hasError, true);
});
