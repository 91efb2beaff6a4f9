import assert from "node:assert/strict";
import { TextBuilder } from "../../lib/chat/text_builder.ts";

Deno.test("TextBuilder joins every piece once, whenever the text is read or cleared", () => {
  const builder = new TextBuilder();
  let expected = "";
  for (let i = 0; i < 1000; i++) {
    builder.add(`${i},`);
    expected += `${i},`;
    // Before, at and after the end of a group, and twice in a row.
    if ([5, 6, 127, 128, 400].includes(i)) assert.equal(builder.text, expected);
    if (i !== 700) continue;
    builder.clear();
    assert.equal(builder.text, expected = "");
  }
  assert.equal(builder.text, expected);
  assert.equal(builder.text, expected);
});
