/**
 * Decodes the sources of a Gemini answer: grounding, citations of training data, and fetched URLs.
 *
 * Source: Gemini API reference, "GroundingMetadata", "CitationMetadata" and "UrlContextMetadata", and
 * the types of `@google/genai`: positions are bytes of UTF-8, counted from the start of a part.
 *
 * @module
 */
import type { Citation } from "../../chat/result.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../../json/json.ts";

/** The text of an answer, and the start of each part within it. */
export interface AnswerText {
  content: string;
  /** Indexed by part; `undefined` for parts that are not in `content`. */
  starts: readonly (number | undefined)[];
}

/** Converts byte offsets in UTF-8 to offsets in a string. */
class Utf8Offsets {
  readonly #text: string;
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(text: string) {
    this.#text = text;
    this.#bytes = new TextEncoder().encode(text);
  }

  toText(offset: number): number {
    if (this.#bytes.length === this.#text.length) return Math.min(offset, this.#text.length);
    return this.#decoder.decode(this.#bytes.subarray(0, offset)).length;
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Converts a position in the text to an offset in bytes. */
  toBytes(position: number): number {
    return position === 0 ? 0 : new TextEncoder().encode(this.#text.slice(0, position)).length;
  }
}

type Span = Pick<Citation, "start" | "end">;

/** Locates a segment of the answer; `undefined` if the offsets do not fit the text. */
function locate(segment: Json, text: AnswerText, offsets: Utf8Offsets): Span {
  const from = asNumber(segment.startIndex) ?? 0;
  const to = asNumber(segment.endIndex);
  const expected = asText(segment.text);
  // Streams count from the start of the answer, not of each part.
  for (const base of [text.starts[asNumber(segment.partIndex) ?? 0], 0]) {
    if (to === undefined || base === undefined) continue;
    const first = offsets.toBytes(base);
    if (first + to > offsets.byteLength) continue;
    const start = offsets.toText(first + from);
    const end = offsets.toText(first + to);
    const fits = expected === undefined ? start < end : text.content.slice(start, end) === expected;
    if (fits) return { start, end };
  }
  const start = expected === undefined ? -1 : text.content.indexOf(expected);
  return start < 0 ? {} : { start, end: start + expected!.length };
}

/** The source in a grounding chunk of any tool. */
function sourceOf(chunk: Json): Pick<Citation, "url" | "title" | "text"> {
  const source = asObject(chunk.web) ?? asObject(chunk.retrievedContext) ?? asObject(chunk.maps) ??
    asObject(chunk.image) ?? {};
  const url = asText(source.uri) ?? asText(source.sourceUri);
  const title = asText(source.title);
  const text = asText(source.text);
  return {
    ...url !== undefined && { url },
    ...title !== undefined && { title },
    ...text !== undefined && { text },
  };
}

/** Collects the sources of one answer from a response or from the chunks of a stream. */
export class CitationReader {
  /** The latest list of grounding chunks, which supports refer to by index. */
  #chunks: readonly Json[] = [];
  /** All citations so far, in order and without duplicates. */
  readonly #found = new Map<string, (text: AnswerText, offsets: Utf8Offsets) => Citation>();
  /** Sources to cite at the end unless something refers to them with a position. */
  readonly #sources = new Map<string, Citation>();
  readonly #cited = new Set<string>();

  /** Reads the metadata of a candidate. Streams may repeat what they already sent. */
  add(candidate: Json): void {
    const grounding = asObject(candidate.groundingMetadata);
    if (grounding !== undefined) this.#addGrounding(grounding);
    const quoted = asObject(candidate.citationMetadata);
    // `citationSources` is the older name.
    for (const quote of asObjects(quoted?.citations ?? quoted?.citationSources)) {
      const url = asText(quote.uri);
      const title = asText(quote.title);
      this.#find(quote, (text, offsets) => ({
        ...url !== undefined && { url },
        ...title !== undefined && { title },
        ...locate(quote, text, offsets),
        raw: quote,
      }));
    }
    for (const fetched of asObjects(asObject(candidate.urlContextMetadata)?.urlMetadata)) {
      const url = asText(fetched.retrievedUrl);
      if (url === undefined || fetched.urlRetrievalStatus !== "URL_RETRIEVAL_STATUS_SUCCESS") {
        continue;
      }
      this.#addSource(url, { url, raw: fetched });
    }
  }

  /** Returns the citations that have not been returned before. */
  take(text: () => AnswerText): Citation[] {
    if (this.#found.size === 0 && this.#sources.size === 0) return [];
    const answer = text();
    const offsets = new Utf8Offsets(answer.content);
    const citations: Citation[] = [];
    for (const [key, make] of this.#found) {
      if (!this.#cited.has(key)) citations.push(make(answer, offsets));
      this.#cited.add(key);
    }
    for (const [key, citation] of this.#sources) {
      if (!this.#cited.has(key)) citations.push(citation);
      this.#cited.add(key);
    }
    return citations;
  }

  #addGrounding(grounding: Json): void {
    const chunks = asObjects(grounding.groundingChunks);
    if (chunks.length > 0) this.#chunks = chunks;
    for (const chunk of chunks) {
      const source = sourceOf(chunk);
      this.#addSource(source.url ?? JSON.stringify(chunk), { ...source, raw: chunk });
    }
    for (const support of asObjects(grounding.groundingSupports)) {
      const indices = Array.isArray(support.groundingChunkIndices)
        ? support.groundingChunkIndices
        : [];
      const segment = asObject(support.segment) ?? {};
      for (const index of indices) {
        const chunk = this.#chunks[asNumber(index) ?? -1];
        if (chunk === undefined) continue;
        const source = sourceOf(chunk);
        this.#cited.add(source.url ?? JSON.stringify(chunk));
        const raw = { groundingSupport: support, groundingChunk: chunk };
        this.#find({ segment, chunk }, (text, offsets) => ({
          ...source,
          ...locate(segment, text, offsets),
          raw,
        }));
      }
    }
  }

  #find(identity: unknown, make: (text: AnswerText, offsets: Utf8Offsets) => Citation): void {
    const key = JSON.stringify(identity);
    if (!this.#found.has(key)) this.#found.set(key, make);
  }

  #addSource(key: string, citation: Citation): void {
    if (!this.#sources.has(key)) this.#sources.set(key, citation);
  }
}
