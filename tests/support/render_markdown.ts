/** Renders Markdown as a terminal would show it. */
import { stripVTControlCharacters } from "node:util";
import {
  type MarkdownOptions,
  MarkdownStream,
} from "../../commands/terminal/markdown/markdown_stream.ts";

export interface RenderOptions extends Omit<MarkdownOptions, "columns"> {
  columns?: number;
  /** The length of the chunks that the Markdown arrives in. */
  size?: number;
}

/** The terminal's input: text with escape sequences. */
export async function render(markdown: string, options: RenderOptions = {}): Promise<string> {
  const { columns = Infinity, size = Math.max(1, markdown.length), ...rest } = options;
  const stream = new MarkdownStream({ ...rest, columns: () => columns });
  let shown = "";
  for (let i = 0; i < markdown.length; i += size) {
    shown += await stream.write(markdown.slice(i, i + size));
  }
  return shown + await stream.end();
}

/** The text that the terminal shows. */
export async function shownText(markdown: string, options?: RenderOptions): Promise<string> {
  return stripVTControlCharacters(await render(markdown, options));
}
