/**
 * `deno task npm` builds the package for npm from the same sources: dist/npm/package/, and its tarball
 * dist/npm/flexllm-VERSION.tgz. tsdown needs a newer Node than the oldest one that runs the package, so
 * both are installed into .tools.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("..", import.meta.url).pathname;
const TOOLS = { tsdown: "0.23.7", typescript: "5.9.3", node: "24.21.0" };

function installTools(): string {
  const folder = join(ROOT, ".tools", "npm");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  const packages = Object.entries(TOOLS).map(([name, version]) => `${name}@${version}`);
  const flags = ["--no-audit", "--no-fund", "--silent", "--prefix", folder];
  execFileSync("npm", ["install", ...flags, ...packages], { stdio: "inherit" });
  return folder;
}

/** The version range of a package in deno.json: `npm:hono@^4.13.19` is `^4.13.19`. */
function rangeOf(name: string): string {
  const target = (config.imports as Record<string, string>)[name];
  if (target === undefined) throw new Error(`${name} is imported, but deno.json does not list it`);
  return target.slice(target.lastIndexOf("@") + 1);
}

/**
 * Whether a package is only needed by those who send spans to a collector: 18 MB that most do not need. The API is
 * there anyway, since prom-client needs it, and our types refer to it.
 */
function isOptional(name: string): boolean {
  return name.startsWith("@opentelemetry/") && name !== "@opentelemetry/api";
}

function rangesOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, rangeOf(name)]));
}

/** The package's manifest. */
export function npmManifest(imported: readonly string[]): Record<string, unknown> {
  const optional = imported.filter(isOptional);
  return {
    name: "flexllm",
    version: config.version,
    description:
      "Send any number of prompts to any LLM endpoint: resumable, rate-limited, within budget",
    keywords: ["llm", "openai", "anthropic", "gemini", "batch", "rate-limit", "cli", "mock"],
    license: config.license,
    type: "module",
    // The first versions with node:sqlite.
    engines: { node: ">=22.13", bun: ">=1.4" },
    bin: { flexllm: "dist/cli.js" },
    exports: {
      ".": { types: "./dist/mod.d.ts", default: "./dist/mod.js" },
      "./package.json": "./package.json",
    },
    types: "./dist/mod.d.ts",
    files: ["dist"],
    sideEffects: false,
    dependencies: rangesOf(imported.filter((name) => !isOptional(name))),
    peerDependencies: rangesOf(optional),
    peerDependenciesMeta: Object.fromEntries(
      optional.map((name) => [name, { optional: true }]),
    ),
  };
}

/** Builds the package and returns the path of its tarball. */
export function buildPackage(): string {
  const tools = installTools();
  const output = join(ROOT, "dist", "npm");
  const folder = join(output, "package");
  const dist = join(folder, "dist");
  rmSync(output, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  // Node resolves tsdown from the script's own folder.
  const script = join(tools, "bundle.mjs");
  copyFileSync(join(ROOT, "scripts", "npm", "bundle.mjs"), script);
  const node = join(tools, "node_modules", ".bin", "node");
  const imported = execFileSync(node, [script, ROOT.replace(/\/$/, ""), dist], {
    encoding: "utf8",
  });
  rmSync(join(dist, "main.d.ts"), { force: true });
  const cli = join(dist, "cli.js");
  copyFileSync(join(ROOT, "scripts", "npm", "cli.mjs"), cli);
  chmodSync(cli, 0o755);
  const manifest = npmManifest(JSON.parse(imported));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) {
    copyFileSync(join(ROOT, name), join(folder, name));
  }
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", output], {
    cwd: folder,
    encoding: "utf8",
  });
  return join(output, packed.trim());
}

if (import.meta.main) process.stdout.write(`${buildPackage()}\n`);
