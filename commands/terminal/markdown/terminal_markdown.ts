/**
 * Creates Markdown renderers for the process's terminal.
 *
 * @module
 */
import process from "node:process";
import type { WriteStream } from "node:tty";
import { showsColors } from "../output.ts";
import { MarkdownStream } from "./markdown_stream.ts";

const DEFAULT_COLUMNS = 80;

/** Whether the terminal opens hyperlinks. */
async function showsLinks(): Promise<boolean> {
  try {
    return (await import("supports-hyperlinks")).default.stdout;
  } catch {
    // On Windows it asks for the system's version, which the compiled binary may not read.
    return false;
  }
}

/**
 * Creates a renderer for text on `stream`, which must be a terminal. It wraps at the current width, also
 * after a resize. Without colors, as with `NO_COLOR`, the layout stays and the markers of styles are shown.
 *
 * @param style the SGR parameters of all text, e.g. `2` for dimmed
 */
export async function terminalMarkdown(stream: WriteStream, style = ""): Promise<MarkdownStream> {
  const styles = showsColors(stream);
  return new MarkdownStream({
    columns: () => stream.columns || DEFAULT_COLUMNS,
    features: { styles, links: styles && process.env.TERM !== "dumb" && await showsLinks() },
    style,
  });
}
