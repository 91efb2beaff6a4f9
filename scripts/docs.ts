/**
 * `deno task docs` generates the pages that come from the code: docs/cli.md from the commands' help,
 * docs/configuration.md from the configuration's schema, docs/source-map.md from the doc comments,
 * skills/flexllm/SKILL.md as `flexllm skill` prints it. With `--check` it writes nothing and fails if a page is
 * stale.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { COMMANDS } from "../commands/registry.ts";
import { skillPage } from "../commands/skill/page.ts";
import { commandLinePage } from "./docs/command_line_page.ts";
import { configurationPage } from "./docs/configuration_page.ts";
import { sourceMapPage } from "./docs/source_map_page.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** The generated pages by path. */
export async function pages(): Promise<Record<string, string>> {
  return {
    "docs/cli.md": await commandLinePage(),
    "docs/configuration.md": configurationPage(),
    "docs/source-map.md": sourceMapPage(ROOT),
    "skills/flexllm/SKILL.md": await skillPage(COMMANDS),
  };
}

/** The paths of the pages that differ from what the code generates. */
export async function stalePages(): Promise<string[]> {
  const all = Object.entries(await pages());
  const isCurrent = (path: string, text: string) =>
    existsSync(ROOT + path) && readFileSync(ROOT + path, "utf8") === text;
  return all.filter(([path, text]) => !isCurrent(path, text)).map(([path]) => path);
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const stale = await stalePages();
    for (const path of stale) process.stderr.write(`${path} is stale; run deno task docs\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of Object.entries(await pages())) {
      mkdirSync(dirname(ROOT + path), { recursive: true });
      writeFileSync(ROOT + path, text);
    }
  }
}
