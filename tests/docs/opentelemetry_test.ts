/** The page on OpenTelemetry: it lists every attribute, metric and kind of span. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ATTRIBUTES,
  CONVENTIONS_VERSION,
  METRICS,
  SPANS,
} from "../../lib/telemetry/semantic_names.ts";
import { ROOT } from "../support/cli.ts";

const PAGE = readFileSync(join(ROOT, "docs/opentelemetry.md"), "utf8");

/** The cells of the table below a heading, without its head. */
function rowsBelow(heading: string): string[][] {
  const section = PAGE.slice(PAGE.indexOf(`\n## ${heading}\n`) + 1).split(/\n## /)[0];
  return section.split("\n").filter((line) => line.startsWith("|")).slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("every attribute is listed with its meaning", () => {
  const expected = Object.values(ATTRIBUTES).map(([name, meaning]) => [`\`${name}\``, meaning]);
  assert.deepEqual(rowsBelow("Attributes"), expected);
});

Deno.test("every metric is listed", () => {
  const expected = Object.values(METRICS).map(({ name, kind, unit, description }) => [
    `\`${name}\``,
    kind,
    unit.replace(/[{}]/g, ""),
    description,
  ]);
  assert.deepEqual(rowsBelow("Metrics"), expected);
});

Deno.test("every kind of span is listed", () => {
  assert.deepEqual(
    rowsBelow("Spans").map(([name]) => name),
    Object.values(SPANS).map(([name]) => `\`${name}\``),
  );
  assert.ok(PAGE.includes(`schema ${CONVENTIONS_VERSION}`));
});
