/** The READMEs and the other pages: they agree with one another, and every link leads somewhere. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/cli.ts";

/** A parsed page. Headings and links inside code are ignored. */
interface Page {
  headings: { level: number; text: string }[];
  /** Each from its opening fence to its closing one. */
  blocks: string[];
  links: string[];
  /** The lines outside of code blocks. */
  lines: string[];
}

function parse(markdown: string): Page {
  const page: Page = { headings: [], blocks: [], links: [], lines: [] };
  let block: string[] | undefined;
  for (const line of markdown.split("\n")) {
    if (block !== undefined) {
      block.push(line);
      if (/^\s*```\s*$/.test(line)) {
        page.blocks.push(block.join("\n"));
        block = undefined;
      }
    } else if (/^\s*```/.test(line)) block = [line];
    else page.lines.push(line);
  }
  assert.equal(block, undefined, "a code block that does not end");
  for (const line of page.lines) {
    const heading = line.match(/^(#{1,6}) (.+)$/);
    if (heading) page.headings.push({ level: heading[1].length, text: heading[2] });
  }
  // Links inside code are ignored, but code can be the text of a link.
  const prose = page.lines.join("\n").replace(/`[^`\n]*`/g, "code");
  for (const [, target] of prose.matchAll(/\]\(([^()\s]+)\)/g)) page.links.push(target);
  return page;
}

function read(path: string): Page {
  return parse(readFileSync(join(ROOT, path), "utf8"));
}

/** The anchors that GitHub generates for headings; the second of the same name ends in `-1`. */
function anchors({ headings }: Page): Set<string> {
  const seen = new Map<string, number>();
  return new Set(headings.map(({ text }) => {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replaceAll(
      " ",
      "-",
    );
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  }));
}

/** The broken relative links of the page at `path`. */
function brokenLinks(path: string, page: Page): string[] {
  const problems: string[] = [];
  for (const link of page.links) {
    if (/^[a-z][a-z+.-]*:/i.test(link)) continue;
    const [target, anchor] = decodeURI(link).split("#", 2);
    const file = target === "" ? path : relative(ROOT, join(ROOT, dirname(path), target));
    if (!existsSync(join(ROOT, file))) problems.push(`${path}: ${link}: there is no ${file}`);
    else if (anchor !== undefined && !anchors(file === path ? page : read(file)).has(anchor)) {
      problems.push(`${path}: ${link}: ${file} has no such heading`);
    }
  }
  return problems;
}

const README = read("README.md");
const CHINESE = read("README.zh-CN.md");

Deno.test("both READMEs have the same sections and links", () => {
  const levels = ({ headings }: Page) => headings.map(({ level }) => level);
  assert.deepEqual(levels(CHINESE), levels(README));
  // The Chinese one uses other services and other questions, but the same commands.
  const commands = ({ blocks }: Page) =>
    blocks.flatMap((block) => block.match(/\bflexllm \w+|\bdeno \w+ \S+/g) ?? []);
  assert.ok(commands(README).length > 10);
  assert.deepEqual(commands(CHINESE), commands(README));
  const links = ({ links }: Page) =>
    [...new Set(links)].filter((link) => !/^README\b/.test(link)).sort();
  assert.deepEqual(links(CHINESE), links(README));
});

Deno.test("every relative link points to an existing file and heading", () => {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  const others = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
  const readmes = ["README.md", "README.zh-CN.md", "examples/README.md"];
  const paths = [...readmes, ...others, ...docs.map((name) => `docs/${name}`)];
  assert.deepEqual(paths.flatMap((path) => brokenLinks(path, read(path))), []);
});

Deno.test("broken links are found", () => {
  const page = parse(
    "# One page\n## Twice\n## Twice\n[a](docs/none.md) [b](#twice-1) [`c`](#twice-2) `[d](x.md)`\n" +
      "[e](https://example.com/none) [f](SECURITY.md#none)\n```md\n# Code\n[g](none.md)\n```\n" +
      "[h](#one-page) [i](SECURITY.md#reporting-a-vulnerability)",
  );
  assert.deepEqual(brokenLinks("README.md", page), [
    "README.md: docs/none.md: there is no docs/none.md",
    "README.md: #twice-2: README.md has no such heading",
    "README.md: SECURITY.md#none: SECURITY.md has no such heading",
  ]);
});

/** The names in the first column of the tables below the heading, or of the whole page. */
function tableNames({ lines }: Page, heading?: string): string[] {
  const begin = heading === undefined ? 0 : lines.indexOf(heading);
  assert.ok(begin >= 0, `no heading ${heading}`);
  const length = heading === undefined
    ? lines.length
    : lines.slice(begin + 1).findIndex((line) => line.startsWith("## "));
  return lines.slice(begin + 1, begin + 1 + length).flatMap((line) => {
    const [, cell = ""] = line.split("|");
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  });
}

Deno.test("the page on dependencies lists every imported package, once", () => {
  const expected = Object.keys(config.imports).sort();
  assert.deepEqual(tableNames(read("docs/dependencies.md")).sort(), expected);
});

Deno.test("every example is listed", () => {
  const { links } = read("examples/README.md");
  const files = readdirSync(join(ROOT, "examples")).filter((name) => /\.(ts|jsonl)$/.test(name));
  for (const name of files) assert.ok(links.includes(name), name);
});

Deno.test("CI runs the README's two commands", () => {
  const ci = readFileSync(join(ROOT, ".ci/run"), "utf8");
  const version = ci.match(/^deno_version=(.+)$/m)?.[1];
  const run = ci.replaceAll('"deno@$deno_version"', `deno@${version}`)
    .replaceAll('"$answers"', "answers.jsonl");
  const commands = README.blocks.flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith("npx "));
  assert.equal(commands.length, 2);
  for (const command of commands) assert.ok(run.split("\n").includes(command), command);
});

Deno.test("every task named on a page is in deno.json", () => {
  const { tasks } = config;
  const rows = tableNames(read("CONTRIBUTING.md"), "## Tasks").slice(1);
  assert.ok(rows.length > 10);
  const text = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    .map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
  const named = [...text.matchAll(/deno(?:@\S+)? task ([a-z][a-z:]*)/g)].map(([, name]) => name);
  for (const name of [...rows, ...named]) assert.ok(Object.hasOwn(tasks, name), name);
});
