/**
 * Decodes citations in the various forms that services use.
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
 * Decodes one citation: a bare URL or an object.
 *
 * @param offset the start, within the answer, of the text that its positions refer to
 */
export function decodeCitation(raw: unknown, offset = 0): Citation | undefined {
  if (typeof raw === "string") return raw === "" ? undefined : { url: raw, raw };
  const item = asObject(raw);
  if (item === undefined) return undefined;
  // Chat Completions nests the fields in an object named after the type.
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

/** Decodes a list of citations; empty if `value` is not a list. */
export function decodeCitations(value: unknown, offset = 0): Citation[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => decodeCitation(item, offset)).filter((item) => item !== undefined);
}
