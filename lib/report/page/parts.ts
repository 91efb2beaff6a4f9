/**
 * Renders the parts of the page that recur: tables, legends and pictures.
 *
 * @module
 */
// The formatter would put spaces into texts of `html`, where they matter.
import { html as markup, raw } from "hono/html";
import { cutText } from "../cut_text.ts";
import type { Color } from "../charts/plot.ts";
import {
  type DataTable,
  isMissing,
  type MissingPicture,
  type Picture,
} from "../pictures/picture.ts";

/** A part of a page. */
export type Html = ReturnType<typeof markup>;

export { markup, raw };

/** Maximum bytes of a cell: names of models and errors can be of any length. */
const CELL = 400;

/** A cell that contains HTML. */
export interface RichCell {
  html: Html;
}

/** A table whose cells may contain HTML. */
export interface PageTable {
  columns: DataTable["columns"];
  rows: readonly (readonly (string | RichCell)[])[];
}

function cell(content: string | RichCell, isNumber: boolean | undefined, isHeading: boolean): Html {
  const inner = typeof content === "string" ? cutText(content, CELL) : content.html;
  const style = isNumber ? markup` class="num"` : "";
  return isHeading
    ? markup`<th scope="row"${style}>${inner}</th>`
    : markup`<td${style}>${inner}</td>`;
}

/**
 * Renders a table, which scrolls by itself on narrow screens. The first cell of each row is its heading.
 *
 * @param caption what screen readers announce
 */
export function tableHtml(caption: string, { columns, rows }: PageTable): Html {
  const headings = columns.map(({ title, isNumber }) =>
    markup`<th scope="col"${isNumber ? markup` class="num"` : ""}>${cutText(title, CELL)}</th>`
  );
  const body = rows.map((row) =>
    markup`<tr>${row.map((content, i) => cell(content, columns[i]?.isNumber, i === 0))}</tr>\n`
  );
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${headings}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

/** The class of a color. */
function colorClass(color: Color): string {
  return typeof color === "number" ? `s${color + 1}` : color;
}

function pictureHtml({ title, caption, legend, drawings, table }: Picture): Html {
  const entries = legend?.map(({ name, color, isMark }) =>
    markup`<li class="${colorClass(color)}${isMark ? " mark" : ""}">${cutText(name, CELL)}</li>`
  );
  const figures = drawings.map((drawing) =>
    markup`${
      drawing.title === undefined ? "" : markup`<h4>${cutText(drawing.title, CELL)}</h4>
`
    }${raw(drawing.svg)}
`
  );
  return markup`<figure class="card"><figcaption><h3>${title}</h3>
<p>${caption}</p></figcaption>
${
    entries === undefined ? "" : markup`<ul class="legend">${entries}</ul>
`
  }${figures}<details><summary>As a table</summary>
${tableHtml(title, table)}</details></figure>
`;
}

/** Renders pictures, and lists those that are left out. */
export function picturesHtml(pictures: readonly (Picture | MissingPicture)[]): Html {
  const shown = pictures.filter((picture): picture is Picture => !isMissing(picture));
  const missing = pictures.filter(isMissing);
  return markup`${
    shown.length === 0 ? "" : markup`<div class="pictures">
${shown.map(pictureHtml)}</div>
`
  }${
    missing.length === 0 ? "" : markup`<ul class="note missing">
${
      missing.map(({ title, reason }) =>
        markup`<li>${title}: left out, since ${reason}.</li>
`
      )
    }</ul>
`
  }`;
}

/** Renders a section whose heading can be linked to. */
export function sectionHtml(id: string, title: string, content: Html): Html {
  return markup`<section id="${id}"><h2>${title}</h2>
${content}</section>
`;
}
