/**
 * `deno task sbom [FILE]`: writes a CycloneDX bill of materials of the packages in the binary. It lists what
 * `deno info` finds from main.ts, with the checksums in deno.lock and the licenses of the packages, but no
 * packages that only tests use.
 *
 * Source: CycloneDX 1.6, JSON; package URLs as in purl-spec.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { VERSION } from "../lib/version.ts";

/** The part of the output of `deno info --json` that is used here. */
export interface ModuleGraph {
  modules: { npmPackage?: string }[];
  /** By a unique name. */
  npmPackages: Record<
    string,
    { name: string; version: string; dependencies: string[]; localPath: string }
  >;
}

/** The part of `deno.lock` that is used here. */
export interface LockFile {
  npm: Record<string, { integrity: string }>;
}

/** One package of a bill of materials. */
interface Component {
  type: "library";
  "bom-ref": string;
  group?: string;
  name: string;
  version: string;
  purl: string;
  hashes: { alg: "SHA-512"; content: string }[];
  licenses?: { expression: string }[];
}

/** A CycloneDX bill of materials. */
export interface Bill {
  bomFormat: "CycloneDX";
  specVersion: "1.6";
  version: 1;
  metadata: { component: Record<string, unknown> };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** `pkg:npm/%40scope/name@version` */
function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The packages that the modules import, directly and transitively. */
function importedPackages(graph: ModuleGraph): { direct: string[]; all: string[] } {
  const direct = new Set(graph.modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  const all = new Set(direct);
  // Iterating over a Set includes the entries added meanwhile.
  for (const id of all) graph.npmPackages[id].dependencies.forEach((other) => all.add(other));
  // A package can occur several times with different peer dependencies; list it once.
  const byUrl = new Map<string, string>();
  for (const id of [...all].sort().reverse()) {
    const { name, version } = graph.npmPackages[id];
    byUrl.set(packageUrl(name, version), id);
  }
  return { direct: [...direct].sort(), all: [...byUrl.values()].sort() };
}

/**
 * Builds the bill of materials.
 *
 * @param licenseOf the license of a package as an SPDX expression; `undefined` if unknown
 * @throws {Error} if the lock file has no checksum of a package
 */
export function buildBill(
  graph: ModuleGraph,
  lock: LockFile,
  version: string,
  licenseOf: (folder: string) => string | undefined,
): Bill {
  const { direct, all } = importedPackages(graph);
  const refsOf = (ids: readonly string[]) => {
    const urls = ids.map((id) => graph.npmPackages[id])
      .map(({ name, version }) => packageUrl(name, version));
    return [...new Set(urls)];
  };
  const components = all.map((id): Component => {
    const { name, version, localPath } = graph.npmPackages[id];
    const [group, short] = name.startsWith("@") ? name.split("/") : [undefined, name];
    const [, hash] = /^sha512-(.+)$/.exec(lock.npm[id]?.integrity ?? "") ?? [];
    if (hash === undefined) throw new Error(`deno.lock has no SHA-512 checksum of ${id}`);
    const license = licenseOf(localPath);
    const purl = packageUrl(name, version);
    return {
      type: "library",
      "bom-ref": purl,
      ...group === undefined ? {} : { group },
      name: short,
      version,
      purl,
      hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }],
      ...license === undefined ? {} : { licenses: [{ expression: license }] },
    };
  });
  const ref = `flexllm@${version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": ref,
        name: "flexllm",
        version,
        licenses: [{ license: { id: "MIT" } }],
      },
    },
    components,
    dependencies: [
      { ref, dependsOn: refsOf(direct) },
      ...all.map((id) => ({
        ref: refsOf([id])[0],
        dependsOn: refsOf(graph.npmPackages[id].dependencies),
      })),
    ],
  };
}

function licenseOfFolder(folder: string): string | undefined {
  const { license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return typeof license === "string" && /^[\w.+() -]+$/.test(license) ? license : undefined;
}

function main([file = join("dist", "flexllm.cdx.json")]: string[]): void {
  const graph: ModuleGraph = JSON.parse(
    execFileSync(process.execPath, ["info", "--json", "main.ts"], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    }),
  );
  const lock: LockFile = JSON.parse(readFileSync("deno.lock", "utf8"));
  const bill = buildBill(graph, lock, VERSION, licenseOfFolder);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`${file}: ${bill.components.length} packages`);
}

if (import.meta.main) main(process.argv.slice(2));
