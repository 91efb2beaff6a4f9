/**
 * Collects excerpts of results: the slowest, the most expensive, and a random sample.
 *
 * @module
 */
import { lastUserText, outputText } from "../results/message_text.ts";
import type { ResultLine } from "../results/result_reader.ts";
import { cutText } from "./cut_text.ts";
import { TopList } from "./top_list.ts";

/** What a report shows of one result. Texts are cut; without content they are absent. */
export interface Excerpt {
  /** The position of its series. */
  series: number;
  index: number;
  succeeded: boolean;
  model?: string;
  /** Seconds. */
  latency?: number;
  promptTokens?: number;
  completionTokens?: number;
  /** USD. */
  cost?: number;
  finishReason?: string;
  errorCode?: string;
  cached: boolean;
  /** The last text of the user. */
  input?: string;
  output?: string;
  error?: string;
}

/** Maximum bytes of each text in the sample. */
const SAMPLE_TEXT = 1000;
/** The same for the lists of the slowest and most expensive results. */
const LIST_TEXT = 160;
/** Maximum results in each list. */
const LISTED = 50;
/** Maximum results in the sample, over all series. */
const SAMPLED = 200;

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

/** A number that looks random but is the same for the same index, so that series show the same records. */
function scattered(index: number): number {
  let hash = Math.imul(index ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 15, 0xc2b2ae35);
  hash = Math.imul(hash ^ hash >>> 13, 0x27d4eb2f);
  return (hash ^ hash >>> 16) >>> 0;
}

/** Excerpts of the results of all series. */
export class Excerpts {
  readonly #slowest = new TopList<Excerpt>(LISTED);
  readonly #mostExpensive = new TopList<Excerpt>(LISTED);
  readonly #samples: TopList<Excerpt>[] = [];
  readonly #content: boolean;
  readonly #redact: (text: string) => string;

  /**
   * @param content whether texts are included
   * @param redact removes keys from a text
   */
  constructor(content: boolean, redact: (text: string) => string) {
    this.#content = content;
    this.#redact = redact;
  }

  /** Adds a result of a series. */
  add(line: ResultLine, series: number): void {
    const { facts } = line;
    if (facts.latency > 0 && !facts.cached) {
      this.#slowest.add(facts.latency, () => this.#excerpt(line, series, LIST_TEXT));
    }
    if (facts.cost > 0) {
      this.#mostExpensive.add(facts.cost, () => this.#excerpt(line, series, LIST_TEXT));
    }
    this.#samples[series] ??= new TopList(SAMPLED);
    this.#samples[series].add(
      scattered(facts.index),
      () => this.#excerpt(line, series, SAMPLE_TEXT),
    );
  }

  /** The slowest results that did not come from the cache. */
  get slowest(): Excerpt[] {
    return this.#slowest.list();
  }

  /** The most expensive results. */
  get mostExpensive(): Excerpt[] {
    return this.#mostExpensive.list();
  }

  /** Random results by index: the same records of each series, as far as it has them. */
  get sample(): Excerpt[] {
    const share = Math.floor(SAMPLED / Math.max(1, this.#samples.length));
    return this.#samples.flatMap((list) => list?.list().slice(0, share) ?? [])
      .sort((a, b) => a.index - b.index || a.series - b.series);
  }

  #excerpt(line: ResultLine, series: number, bytes: number): Excerpt {
    const { facts } = line;
    const excerpt: Excerpt = {
      series,
      index: facts.index,
      succeeded: facts.succeeded,
      model: facts.model && cutText(facts.model, 200),
      latency: known(facts.latency),
      promptTokens: known(facts.promptTokens),
      completionTokens: known(facts.completionTokens),
      cost: known(facts.cost),
      finishReason: facts.finishReason && cutText(facts.finishReason, 100),
      errorCode: facts.succeeded ? undefined : cutText(facts.errorCode ?? "unknown", 100),
      cached: facts.cached,
    };
    if (!this.#content) return excerpt;
    const record = line.parse();
    // The damage shows only now; its numbers remain counted.
    if (typeof record === "string") return excerpt;
    const cut = (text: string) => cutText(this.#redact(text), bytes);
    excerpt.input = cut(lastUserText(record) ?? "");
    if (record.output !== null && record.output !== undefined || record.refusal !== undefined) {
      excerpt.output = cut(outputText(record));
    }
    if (!facts.succeeded && typeof record.error === "string") excerpt.error = cut(record.error);
    return excerpt;
  }
}
