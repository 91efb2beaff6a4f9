/**
 * Exports conversations as one HTML page that needs nothing else: no scripts, no requests.
 *
 * @module
 */
import { escapeUTF8 as escaped } from "entities/escape";
import { type Conversation, textOf, titleOf, typedText } from "./conversation.ts";

/** Answers are untrusted: even if escaping failed, nothing could run or be loaded. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
article + article { border-top: 1px solid #8886; margin-top: 3rem; padding-top: 1rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { color: #767676; font-size: .875rem; margin: .25rem 0; }
div { white-space: pre-wrap; overflow-wrap: anywhere; }
.user { background: #8882; border-radius: .5rem; padding: .5rem .75rem; }
details { color: #767676; }
@media print { body { max-width: none; } }
`;

function articleOf(conversation: Conversation): string {
  const { created, model, system, turns } = conversation;
  const parts = [
    `<h1>${escaped(titleOf(conversation) || "Conversation")}</h1>`,
    `<p>${escaped(created)}, ${escaped(model)}</p>`,
  ];
  const section = (name: string, text: string, kind = "") =>
    parts.push(`<h2>${name}</h2>`, `<div${kind}>${escaped(text)}</div>`);
  if (system !== undefined) section("System", system);
  for (const turn of turns) {
    const { files = [], assistant, thinking = "", interrupted } = turn;
    section("User", typedText(turn), ' class="user"');
    if (files.length > 0) parts.push(`<p>Attached: ${escaped(files.join(", "))}</p>`);
    if (thinking !== "") {
      parts.push(
        `<details><summary>Thinking</summary><div>${escaped(thinking)}</div></details>`,
      );
    }
    if (assistant === undefined) continue;
    section("Assistant", textOf(assistant.content));
    for (const { function: { name, arguments: given } } of assistant.tool_calls ?? []) {
      parts.push(`<div><code>${escaped(name)}(${escaped(given)})</code></div>`);
    }
    if (interrupted) parts.push("<p>Interrupted</p>");
  }
  return `<article>\n${parts.join("\n")}\n</article>\n`;
}

/** The conversations as one page, with all text escaped. */
export function toHtml(conversations: readonly Conversation[]): string {
  const [first] = conversations;
  const title = conversations.length === 1 ? titleOf(first) || "Conversation" : "Conversations";
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${conversations.map(articleOf).join("")}</body>
</html>
`;
}
