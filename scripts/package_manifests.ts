/**
 * `deno task packages OWNER/REPOSITORY`: writes the Homebrew formula and the Scoop manifest for the version
 * in deno.json to dist/, with the checksums from dist/SHA256SUMS.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../lib/version.ts";
import { CHECKSUMS, parseChecksums } from "./checksums.ts";

/** The values of the placeholders in a manifest. */
export interface Release {
  version: string;
  /** `owner/name` on GitHub. */
  repository: string;
  /** SHA-256 by file name. */
  checksums: ReadonlyMap<string, string>;
}

/**
 * Fills in the placeholders of a manifest.
 *
 * @throws {Error} if a placeholder has no value
 */
export function fillManifest(template: string, release: Release): string {
  const { version, repository, checksums } = release;
  const url = `https://github.com/${repository}/releases/download/v${version}`;
  const values = new Map(Object.entries({ version, repository, url }));
  for (const [file, hash] of checksums) values.set(`sha256 ${file}`, hash);
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_, placeholder: string) => {
    const value = values.get(placeholder);
    if (value === undefined) throw new Error(`there is no value for {{${placeholder}}}`);
    return value;
  });
}

/** The file names of the manifests, the same in packaging/ and dist/. */
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
