/** Turns a recorded terminal into an animated SVG. */

/** Text in one style. */
export interface Span {
  text: string;
  /** The color in the terminal's palette. */
  color: number | undefined;
  bold: boolean;
  dim: boolean;
}

/** The screen at one moment. */
export interface Frame {
  /** Seconds since the start. */
  at: number;
  rows: Span[][];
}

const CELL = { width: 8.4, height: 18 };
const PADDING = 14;
/** Seconds for which the last frame stays before the recording starts again. */
const PAUSE = 4;
/** The first eight and the bright eight of the palette, readable on the dark background. */
const PALETTE = [
  ...["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
  ...["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
];

/** Spaces become no-break spaces, because browsers disagree on how to preserve the others. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll(" ", "\u00a0");
}

function spanSvg({ text, color, bold, dim }: Span): string {
  const fill = color === undefined ? "" : ` fill="${PALETTE[color] ?? "#e6edf3"}"`;
  const attributes = `${fill}${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.6"' : ""}`;
  return attributes === "" ? escaped(text) : `<tspan${attributes}>${escaped(text)}</tspan>`;
}

/** One row of the screen for as long as it shows the same. */
interface Shown {
  row: number;
  svg: string;
  from: number;
  until: number;
}

function shownRows(frames: readonly Frame[], rows: number, duration: number): Shown[] {
  const shown: Shown[] = [];
  for (let row = 0; row < rows; row++) {
    let current: Shown | undefined;
    for (const frame of frames) {
      const svg = (frame.rows[row] ?? []).map(spanSvg).join("");
      if (svg === (current?.svg ?? "")) continue;
      if (current !== undefined) current.until = frame.at;
      current = svg === "" ? undefined : { row, svg, from: frame.at, until: duration };
      if (current !== undefined) shown.push(current);
    }
  }
  return shown;
}

/**
 * The recording as an SVG that repeats. Where animations are off, it shows the last frame.
 */
export function recordingSvg(frames: readonly Frame[], columns: number, rows: number): string {
  const duration = (frames.at(-1)?.at ?? 0) + PAUSE;
  const width = Math.ceil(columns * CELL.width + 2 * PADDING);
  const height = rows * CELL.height + 2 * PADDING;
  const share = (seconds: number) => Number((seconds / duration).toFixed(4));
  const texts = shownRows(frames, rows, duration).map(({ row, svg, from, until }) => {
    const y = PADDING + (row + 0.75) * CELL.height;
    const isLast = until === duration;
    const values = isLast ? "hidden;visible" : "hidden;visible;hidden";
    const times = isLast ? `0;${share(from)}` : `0;${share(from)};${share(until)}`;
    return `<text x="${PADDING}" y="${y}" visibility="${isLast ? "visible" : "hidden"}">${svg}` +
      `<animate attributeName="visibility" values="${values}" keyTimes="${times}" ` +
      `dur="${duration.toFixed(1)}s" calcMode="discrete" repeatCount="indefinite"/></text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" ` +
    `font-size="14" fill="#e6edf3">\n` +
    `<title>A batch that is interrupted and resumed</title>\n` +
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n${texts.join("\n")}\n</svg>\n`;
}
