/**
 * Sources that an answer cites, from the different forms in which services give them.
 *
 * Sources: OpenAI API reference, `annotations` of Chat Completions (nested) and Responses (flat);
 * OpenRouter, "Web Search" (`url_citation.content`); Perplexity, `citations` and `search_results`; xAI,
 * "Live Search" (`citations`); Mistral, "Citations" (`reference` parts); Zhipu, `web_search`.
 *
 * @module
 */
import type { Citation } from "../chat/result.ts";
import { asCount, asObject, asText, type Json } from "../json/json.ts";

/**
 * One citation: a URL alone, or an object.
 *
 * @param offset where the text that its positions count from begins in the answer
 */
export function decodeCitation(raw: unknown, offset = 0): Citation | undefined {
  if (typeof raw === "string") return raw === "" ? undefined : { url: raw, raw };
  const item = asObject(raw);
  if (item === undefined) return undefined;
  // Chat Completions puts the fields into an object that is named as the type.
  const fields: Json = asObject(item[String(item.type)]) ?? item;
  const citation: Citation = { raw };
  const url = asText(fields.url) ?? asText(fields.uri) ?? asText(fields.link);
  if (url !== undefined) citation.url = url;
  const title = asText(fields.title) ?? asText(fields.filename);
  if (title !== undefined) citation.title = title;
  const text = asText(fields.content) ?? asText(fields.snippet) ?? asText(fields.quote) ??
    asText(fields.text);
  if (text !== undefined) citation.text = text;
  const start = asCount(fields.start_index) ?? asCount(fields.start);
  const end = asCount(fields.end_index) ?? asCount(fields.end);
  if (start !== undefined && end !== undefined) {
    citation.start = offset + start;
    citation.end = offset + end;
  }
  return citation;
}

/** The citations in a list; none when it is not one. */
export function decodeCitations(value: unknown, offset = 0): Citation[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => decodeCitation(item, offset)).filter((item) => item !== undefined);
}
