/** A process measures its own pace, to take quota ahead for requests to come. */
import assert from "node:assert/strict";
import { Pace } from "../../../lib/scheduling/shared/pace.ts";

Deno.test("Pace: requests to come at the pace of the last measurement", () => {
  const pace = new Pace();
  assert.equal(pace.during(1000), 0);
  pace.count = 5;
  pace.measure(1000);
  assert.equal(pace.during(1000), 0, "nothing is known before the second measurement");
  pace.count = 20;
  pace.measure(1005);
  assert.equal(pace.during(1000), 0, "too soon to say anything");
  pace.measure(1100);
  assert.equal(pace.during(50), 10);
  assert.equal(pace.during(4), 0, "less than one");
  pace.measure(2000);
  assert.equal(pace.during(1000), 0, "no request since then");
});
