/** Generates JSON with small mistakes. */
import fc from "fast-check";

const PIECES = [
  ...'{}[]",:\\ 01-.eEtfnu\t\n\u0000é',
  '"a"',
  "\\u00e9",
  "\\/",
  "null",
  '"index":1,',
  "\ud800",
];

/** Texts of `json` in which up to three pieces were removed, inserted or doubled. */
export function mutated(json: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat({ max: 3 }),
    inserted: fc.constantFrom("", ...PIECES),
  });
  return fc.tuple(json, fc.array(change, { minLength: 1, maxLength: 3 })).map(([text, changes]) => {
    for (const { at, removed, inserted } of changes) {
      const start = Math.floor(at * text.length);
      text = text.slice(0, start) + inserted + text.slice(start + removed);
    }
    return text;
  });
}
