/**
 * The forms of a row of a Gemini batch: in a file, and in the request that creates the batch.
 *
 * @module
 */
import { concatBytes, type RowRewrite } from "../inline_input.ts";

/** The field that has the row's id: of the row itself in a file, of its `metadata` in a request. */
export const KEY_FIELD = "key";

/** Replaces the id's field of a row, which comes first, with `metadata`. */
const [START, END] = [`{"metadata":`, "}"].map((text) => new TextEncoder().encode(text));

const COMMA = 44;

/** Rewrites `{"key":ID,"request":…}` to `{"metadata":{"key":ID},"request":…}`. */
export const INLINE_ROW: RowRewrite = {
  rewrite(row) {
    // Ids contain no commas.
    const comma = row.indexOf(COMMA);
    return concatBytes([START, row.subarray(0, comma), END, row.subarray(comma)]);
  },
  growth: START.length + END.length,
};
