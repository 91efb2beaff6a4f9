/**
 * Renders tables of the status page.
 *
 * @module
 */
import { html } from "hono/html";

/** A part of a page. */
export type Html = ReturnType<typeof html>;

/** A column of a table. */
export interface Column {
  title: string;
  /** Whether it contains numbers, which are aligned at the right. */
  isNumber?: boolean;
}

/**
 * Renders a table that scrolls on narrow screens; it can be focused, so that keys scroll it as well.
 *
 * @param caption what screen readers announce
 */
export function table(caption: string, columns: readonly Column[], rows: readonly Html[]): Html {
  return html`
    <div class="card scroll" role="region" tabindex="0" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${columns.map(({ title, isNumber }) =>
            html`
              <th scope="col" ${isNumber
                ? html`
                  class="num"
                `
                : ""}>${title}</th>
            `
          )}</tr>
        </thead>
        <tbody>
    ${rows}</tbody>
      </table>
    </div>
  `;
}

/** Renders what a section shows instead of an empty table. */
export function empty(text: string | Html): Html {
  return html`<p class="card empty">${text}</p>`;
}
