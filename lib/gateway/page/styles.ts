/**
 * Contains the style sheet of the status page. It is part of the page, so that the page needs no other request.
 *
 * @module
 */
import { hash } from "node:crypto";

/** The style sheet. Text has a contrast of at least 4.5 to its background. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --page: #f7f8fa; --card: #ffffff; --line: #e1e4ea; --text: #1a1d24; --muted: #59606e;
  --accent: #2f5fd0; --good: #17713c; --warn: #8a5a00; --bad: #b3261e; --track: #e8ebf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101318; --card: #171b22; --line: #2a303a; --text: #e6e9ef; --muted: #9aa3b2;
    --accent: #8cb0ff; --good: #5fcf8b; --warn: #e8b450; --bad: #ff8a80; --track: #2a303a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.wrap { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1rem; line-height: 1.3; margin: 2.25rem 0 0.6rem; font-weight: 650; }
h2 .note { margin-left: 0.4em; }
.note { color: var(--muted); font-weight: 400; font-size: 0.87rem; }
p { margin: 0.3rem 0; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
header { display: flex; flex-wrap: wrap; gap: 0.4rem 1.5rem; justify-content: space-between; align-items: baseline; }
.state { font-weight: 600; white-space: nowrap; }
.state::before {
  content: ""; display: inline-block; width: 0.55em; height: 0.55em; margin-right: 0.45em;
  border-radius: 50%; background: currentColor; vertical-align: 0.06em;
}
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.muted { color: var(--muted); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
dl.stats {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1px;
  margin: 1.4rem 0 0; overflow: hidden;
}
dl.stats > div { padding: 0.75rem 1rem; box-shadow: 0 0 0 1px var(--line); }
dt { color: var(--muted); font-size: 0.84rem; }
dd { margin: 0.1rem 0 0; font-size: 1.3rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
dd .note { display: block; font-size: 0.8rem; line-height: 1.4; }
figure { margin: 0; padding: 0.9rem 1rem 0.7rem; }
figure svg { display: block; width: 100%; height: 7rem; }
.bar { fill: var(--accent); } .bar.error { fill: var(--bad); } .hit { fill: transparent; }
.hit:hover { fill: var(--track); fill-opacity: 0.6; }
.axis { display: flex; justify-content: space-between; color: var(--muted); font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin-bottom: 0.6rem; font-size: 0.87rem; color: var(--muted); }
.legend span::before { content: ""; display: inline-block; width: 0.65em; height: 0.65em; border-radius: 2px; margin-right: 0.45em; background: var(--accent); }
.legend span.error::before { background: var(--bad); }
.legend span.peak { margin-left: auto; } .legend span.peak::before { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.93rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: 0.5rem 0.9rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 500; font-size: 0.84rem; white-space: nowrap; }
tbody th { font-weight: 550; }
tbody th, td.text { min-width: 9rem; max-width: 24rem; overflow-wrap: anywhere; }
td.wide { min-width: 16rem; overflow-wrap: anywhere; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.time { font-variant-numeric: tabular-nums; white-space: nowrap; }
.sub { display: block; color: var(--muted); font-weight: 400; font-size: 0.84rem; overflow-wrap: anywhere; }
.num .sub { white-space: nowrap; }
svg.meter { display: block; width: 100%; min-width: 4.5rem; height: 4px; margin-top: 0.3rem; }
.meter .track { fill: var(--track); }
.meter .fill { fill: var(--accent); } .meter .fill.warn { fill: var(--warn); } .meter .fill.bad { fill: var(--bad); }
.empty { padding: 1rem; color: var(--muted); }
footer { margin-top: 2.25rem; color: var(--muted); font-size: 0.87rem; display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; }
@media (max-width: 40rem) {
  .wrap { padding: 1.1rem 0.9rem 2rem; }
  th, td { padding: 0.5rem 0.7rem; }
  td.text { min-width: 13rem; }
  tbody th { position: sticky; left: 0; width: 9rem; background: var(--card); border-right: 1px solid var(--line); }
  td .sub { white-space: nowrap; }
  td.text .sub, td.wide .sub { white-space: normal; }
}
`;

/** The source of the style sheet for the page's Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${hash("sha256", STYLES, "base64")}'`;
