/** Generates docs/source-map.md: every file of lib/ and commands/ with the first sentence of its doc comment. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The first sentence of a module's doc comment, on one line. */
export function moduleSummary(source: string): string {
  const comment = source.match(/^\/\*\*([\s\S]*?)\*\//)?.[1] ?? "";
  const [paragraph] = comment.replace(/^[ \t]*\*[ \t]?/gm, "").trim().split(/\n\s*\n/);
  const text = paragraph.replace(/\s+/g, " ").replace(/\{@link (\w+)\}/g, "`$1`");
  // A period ends a sentence unless it is inside a word or an abbreviation such as "e.g.".
  const sentence = text.match(/^.*?[^.]{2}[.:](?= [A-Z`]|$)/)?.[0] ?? text;
  return sentence.replace(/[.:]$/, "").replaceAll("|", "\\|");
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name}`);
}

/** Generates the page, with a table for each directory. */
export function sourceMapPage(root: string): string {
  const folders = new Map<string, string[]>();
  for (const path of [...filesBelow(root, "lib"), ...filesBelow(root, "commands")]) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    folders.set(folder, [...folders.get(folder) ?? [], path]);
  }
  const sections = [...folders].sort().map(([folder, paths]) => {
    const rows = paths.sort().map((path) => {
      const summary = moduleSummary(readFileSync(join(root, path), "utf8"));
      return `| [${path.slice(folder.length)}](../${path}) | ${summary} |\n`;
    });
    return `## ${folder}\n\n| file | purpose |\n| --- | --- |\n${rows.join("")}`;
  });
  return `# Source map

Every source file and what it does, taken from its doc comment by \`deno task docs\`. For how the parts
work together, see [architecture.md](architecture.md).

${sections.join("\n")}`;
}
