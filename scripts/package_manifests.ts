/**
 * `deno task packages OWNER/REPOSITORY`: the Homebrew formula and the Scoop manifest of the version in
 * deno.json, with the checksums in dist/SHA256SUMS, written to dist/.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../lib/version.ts";
import { CHECKSUMS, parseChecksums } from "./checksums.ts";

/** What the blanks of a manifest are filled with. */
export interface Release {
  version: string;
  /** `owner/name` on GitHub. */
  repository: string;
  /** SHA-256 by file. */
  checksums: ReadonlyMap<string, string>;
}

/**
 * Fills in the blanks of a manifest.
 *
 * @throws {Error} for a blank that nothing is known for
 */
export function fillManifest(template: string, release: Release): string {
  const { version, repository, checksums } = release;
  const url = `https://github.com/${repository}/releases/download/v${version}`;
  const values = new Map(Object.entries({ version, repository, url }));
  for (const [file, hash] of checksums) values.set(`sha256 ${file}`, hash);
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_, blank: string) => {
    const value = values.get(blank);
    if (value === undefined) throw new Error(`nothing is known for {{${blank}}}`);
    return value;
  });
}

/** The manifests, by the name of the file in packaging/ and in dist/. */
const MANIFESTS = ["flexllm.rb", "flexllm.json"];

function main([repository = "", folder = "dist"]: string[]): number {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    console.error(`error: expected OWNER/REPOSITORY, got "${repository}"`);
    return 1;
  }
  try {
    const checksums = parseChecksums(readFileSync(join(folder, CHECKSUMS), "utf8"));
    const release = { version: VERSION, repository, checksums };
    const templates = new URL("../packaging/", import.meta.url);
    for (const name of MANIFESTS) {
      const filled = fillManifest(readFileSync(new URL(name, templates), "utf8"), release);
      writeFileSync(join(folder, name), filled);
      console.log(join(folder, name));
    }
    return 0;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

if (import.meta.main) process.exit(main(process.argv.slice(2)));
