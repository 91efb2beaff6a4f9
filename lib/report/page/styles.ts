/**
 * Contains the style sheet of a report, which is part of the page.
 *
 * @module
 */
import { hash } from "node:crypto";

/** The style sheet. Colors of series differ in lightness as well, for readers who see few colors. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --page: #f7f8fa; --card: #ffffff; --line: #e1e4ea; --text: #1a1d24; --muted: #59606e;
  --accent: #2f5fd0; --good: #17713c; --warn: #b26a00; --bad: #c02a20;
  --s1: #2f6fd6; --s2: #e07b1a; --s3: #1f8a5b; --s4: #8e55c9; --s5: #c8467f; --s6: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101318; --card: #171b22; --line: #2a303a; --text: #e6e9ef; --muted: #9aa3b2;
    --accent: #8cb0ff; --good: #5fcf8b; --warn: #e8b450; --bad: #ff8a80;
    --s1: #6ea3ff; --s2: #f2a65a; --s3: #5fcf9b; --s4: #c39bf0; --s5: #f08bb5; --s6: #a3abb8;
  }
}
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --line: #d5d9e0; --text: #000000; --muted: #444a55;
    --accent: #1f4fb5; --good: #17713c; --warn: #8a5a00; --bad: #b3261e;
    --s1: #2f6fd6; --s2: #e07b1a; --s3: #1f8a5b; --s4: #8e55c9; --s5: #c8467f; --s6: #6b7280;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.wrap { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 2.5rem 0 0.8rem; font-weight: 650; }
h3 { font-size: 0.95rem; line-height: 1.35; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
section > h3, section > h4 { margin: 1.2rem 0 0.5rem; }
h4 { font-size: 0.87rem; margin: 0.6rem 0 0.1rem; font-weight: 500; color: var(--muted); overflow-wrap: anywhere; }
p { margin: 0.3rem 0; }
.note { color: var(--muted); font-weight: 400; font-size: 0.87rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; margin: 0.8rem 0 1.2rem; font-size: 0.93rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.warnings { margin: 0.8rem 0; padding: 0.6rem 1rem 0.6rem 2rem; border-left: 4px solid var(--warn); }
dl.stats {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1px; margin: 0; overflow: hidden;
}
dl.stats > div { padding: 0.7rem 1rem; box-shadow: 0 0 0 1px var(--line); }
dt { color: var(--muted); font-size: 0.84rem; }
dd { margin: 0.1rem 0 0; font-size: 1.25rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
dd .note { display: block; font-size: 0.8rem; line-height: 1.4; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: 0.9rem 1rem 0.8rem; min-width: 0; }
figcaption p { color: var(--muted); font-size: 0.87rem; margin: 0.1rem 0 0.4rem; }
figure svg { display: block; width: 100%; height: auto; margin: 0.3rem 0; }
figure svg text { font: 12px system-ui, sans-serif; }
ul.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; margin: 0.3rem 0; padding: 0; list-style: none; font-size: 0.87rem; }
.legend li { overflow-wrap: anywhere; }
.legend li::before { content: ""; display: inline-block; width: 0.7em; height: 0.7em; border-radius: 2px; margin-right: 0.4em; background: var(--swatch); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.legend li.mark::before { border-radius: 0; clip-path: polygon(0 10%, 100% 10%, 50% 95%); }
.s1 { --swatch: var(--s1); } .s2 { --swatch: var(--s2); } .s3 { --swatch: var(--s3); }
.s4 { --swatch: var(--s4); } .s5 { --swatch: var(--s5); } .s6 { --swatch: var(--s6); }
.muted { --swatch: var(--muted); } .bad { --swatch: var(--bad); } .warn { --swatch: var(--warn); } .good { --swatch: var(--good); }
ul.missing { margin: 0.8rem 0; padding-left: 1.2rem; }
details { margin-top: 0.5rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--muted); font-size: 0.87rem; }
.scroll { overflow-x: auto; }
.long > .scroll { max-height: 28rem; overflow: auto; }
.long thead th { position: sticky; top: 0; background: var(--card); }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.9rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: 0.4rem 0.8rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
td { overflow-wrap: break-word; max-width: 40rem; }
thead th { border-top: 0; color: var(--muted); font-weight: 500; font-size: 0.84rem; overflow-wrap: anywhere; min-width: 4.5rem; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 5.5rem; }
tbody th.num { min-width: 0; overflow-wrap: normal; }
.num { text-align: right; }
td.num { white-space: nowrap; }
td.num .note { display: block; white-space: normal; }
td .text { display: inline-block; min-width: 16rem; overflow-wrap: anywhere; }
pre { margin: 0; font: 0.85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
pre.command { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.8rem; margin: 0.4rem 0; }
.sample { padding: 0.7rem 1rem; margin: 0 0 0.7rem; }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 0.6rem 1.2rem; margin-top: 0.3rem; }
.text-block { min-width: 0; }
.text-block pre { max-height: 14rem; overflow-y: auto; border-left: 3px solid var(--line); padding-left: 0.7rem; }
.text-block.failed pre { border-left-color: var(--bad); }
footer { margin-top: 2.5rem; color: var(--muted); font-size: 0.87rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .wrap { padding: 1rem 0.8rem 2rem; }
  figure { padding: 0.8rem 0.6rem 0.6rem; }
  th, td { padding: 0.4rem 0.6rem; }
}
@media print {
  body { font-size: 11px; }
  .wrap { max-width: none; padding: 0; }
  nav, details { display: none; }
  .pictures { grid-template-columns: 1fr 1fr; }
  figure, article, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll, .long > .scroll { overflow: visible; max-height: none; }
  .long thead th { position: static; }
  .text-block pre { max-height: none; }
  td .text { min-width: 0; }
}
`;

/** The source of the style sheet for the page's Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${hash("sha256", STYLES, "base64")}'`;
