/**
 * Reads the text of stream events without parsing them, if they differ from an earlier event in nothing else.
 *
 * With most servers that holds for nearly all events of a stream, and parsing is most of the work per event.
 *
 * @module
 */
import { asObject, type Json, tryParse } from "../json/json.ts";

/** Precedes the text when a template is checked. */
const PROBE = "-";
/** Templates in a row that may match no event, before it is clear that the events differ in more. */
const MAX_UNUSED = 4;

/** The last event, as what precedes its text and what follows it. */
export class TextTemplate {
  #before: string | undefined;
  #after = "";
  #isUsed = false;
  #unused = 0;

  /** The text of an event that is like the last one; `undefined` if it has to be parsed. */
  match(data: string): string | undefined {
    const before = this.#before;
    if (before === undefined) return undefined;
    const end = data.length - this.#after.length;
    if (end <= before.length || !data.endsWith(this.#after)) return undefined;
    // Not `startsWith`, which is eight times slower in V8.
    if (data.slice(0, before.length) !== before) return undefined;
    // With the quotes around it. A quote within would end the string early, which is not JSON.
    const text = tryParse(data.slice(before.length - 1, end + 1));
    if (typeof text !== "string") return undefined;
    this.#isUsed = true;
    return text;
  }

  /** Forgets the last event. Call it for every event that was parsed: the events after it may differ. */
  clear(): void {
    if (this.#before !== undefined) this.#unused = this.#isUsed ? 0 : this.#unused + 1;
    this.#before = undefined;
  }

  /**
   * Remembers an event, if it has a text and no other effect.
   *
   * @param data the event
   * @param event the parsed event
   * @param textOf returns the text of an event; `undefined` if it has none, or more than that
   */
  learn(data: string, event: Json, textOf: (event: Json) => string | undefined): void {
    if (this.#unused >= MAX_UNUSED) return;
    const text = textOf(event);
    if (text === undefined) return;
    const quoted = JSON.stringify(text);
    const start = data.indexOf(quoted) + 1;
    if (start === 0) return;
    const before = data.slice(0, start);
    const after = data.slice(start + quoted.length - 2);
    // The same characters may be those of another field, or between two: most events contain `","`.
    const probed = asObject(tryParse(before + PROBE + data.slice(start)));
    if (probed === undefined || textOf(probed) !== PROBE + text) return;
    this.#before = before;
    this.#after = after;
    this.#isUsed = false;
  }
}
