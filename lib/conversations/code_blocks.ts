/**
 * Finds the fenced code blocks of a Markdown text.
 *
 * Source: CommonMark 0.31.2, section 4.5.
 *
 * @module
 */

/** The contents of the code blocks, in order. A block that is not closed ends with the text. */
export function codeBlocks(markdown: string): string[] {
  const blocks: string[] = [];
  let open: { fence: string; indent: number; lines: string[] } | undefined;
  for (const line of markdown.split("\n")) {
    // Also inside quotes and lists, where fences are indented further.
    const [, space = "", fence, info = ""] = /^([\s>]*)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      const isFence = fence !== undefined && !(fence[0] === "`" && info.includes("`"));
      if (isFence) open = { fence, indent: space.length, lines: [] };
    } else if (fence?.startsWith(open.fence) && info.trim() === "") {
      blocks.push(open.lines.join("\n"));
      open = undefined;
    } else {
      const indent = /^[\s>]*/.exec(line.slice(0, open.indent))![0].length;
      open.lines.push(line.slice(indent));
    }
  }
  if (open !== undefined) blocks.push(open.lines.join("\n").trimEnd());
  return blocks;
}
