/**
 * Decodes citations of Anthropic's Messages API: each text block lists the sources that support it.
 *
 * Source: Anthropic API reference, "Citations", "Search results", "Web search tool".
 *
 * @module
 */
import type { Citation } from "../../chat/result.ts";
import { asObjects, asText, type Json } from "../../json/json.ts";

function citationOf(raw: Json, start: number, end: number): Citation {
  // The caller's own search results may have any text as their source; mostly it is a URL.
  const source = asText(raw.source);
  const url = asText(raw.url) ??
    (source !== undefined && URL.canParse(source) ? source : undefined);
  const title = asText(raw.title) ?? asText(raw.document_title) ?? (url ? undefined : source);
  const text = asText(raw.cited_text);
  const citation: Citation = { start, end, raw };
  if (url !== undefined) citation.url = url;
  if (title !== undefined) citation.title = title;
  if (text !== undefined) citation.text = text;
  return citation;
}

/** The citations of a text block that starts at `start` within the answer's text. */
export function citationsOf(block: Json, start: number): Citation[] {
  const end = start + (asText(block.text)?.length ?? 0);
  return asObjects(block.citations).map((citation) => citationOf(citation, start, end));
}
