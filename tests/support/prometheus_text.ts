/** Parses the text format of Prometheus as strictly as node_exporter's textfile collector does. */
import assert from "node:assert/strict";

/** One metric family. */
export interface MetricFamily {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    assert.ok(found, `labels of ${line}`);
    const [, name, value] = found;
    assert.ok(!(name in labels), `${name} twice in ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, next) => next === "n" ? "\n" : next);
  }
  return labels;
}

function numberOf(text: string, line: string): number {
  const value = text === "+Inf" ? Infinity : text === "NaN" ? NaN : Number(text);
  assert.ok(text === "NaN" || !Number.isNaN(value), `value of ${line}`);
  return value;
}

/** Checks that the buckets of each series are sorted, cumulative, and end with the count. */
function checkHistogram(name: string, { samples }: MetricFamily): void {
  const counts = samples.filter((sample) => sample.name === `${name}_count`);
  for (const { labels, value } of counts) {
    const buckets = samples.filter((sample) =>
      sample.name === `${name}_bucket` &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
    );
    const bounds = buckets.map(({ labels: { le } }) => numberOf(le, name));
    assert.deepEqual(bounds, bounds.toSorted((a, b) => a - b), name);
    assert.equal(bounds.at(-1), Infinity, name);
    const sums = buckets.map(({ value }) => value);
    assert.deepEqual(sums, sums.toSorted((a, b) => a - b), name);
    assert.equal(sums.at(-1), value, name);
  }
}

/** Parses `text` into families by name. Throws for anything that a scraper would refuse. */
export function parsePrometheus(text: string): Map<string, MetricFamily> {
  const families = new Map<string, MetricFamily>();
  const seen = new Set<string>();
  let current = "";
  assert.ok(text.endsWith("\n"), "the last line has an end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      assert.ok(!families.has(name), `${name} has two parts`);
      families.set(current = name, { type: "", help: rest, samples: [] });
      continue;
    }
    const family = families.get(current);
    if (keyword === "TYPE") {
      assert.equal(name, current);
      assert.match(rest, /^(counter|gauge|histogram)$/);
      family!.type = rest;
      continue;
    }
    const [, sample, labels = "", value] = SAMPLE.exec(line) ?? [];
    assert.ok(sample !== undefined && family?.type, `a sample, without a timestamp: ${line}`);
    const base = family.type === "histogram" ? sample.replace(/_(bucket|sum|count)$/, "") : sample;
    assert.equal(base, current, line);
    const parsed = labelsOf(labels, line);
    const key = `${sample} ${JSON.stringify(Object.entries(parsed).sort())}`;
    assert.ok(!seen.has(key), `${key} twice`);
    seen.add(key);
    family.samples.push({ name: sample, labels: parsed, value: numberOf(value, line) });
  }
  for (const [name, family] of families) {
    if (family.type === "histogram") checkHistogram(name, family);
    if (family.type === "counter") assert.match(name, /_total$/);
  }
  return families;
}

/** The values of a metric, by the values of its labels other than `batch`, joined with spaces. */
export function valuesOf(families: Map<string, MetricFamily>, name: string) {
  const { samples } = families.get(name) ?? { samples: [] };
  return Object.fromEntries(samples.map(({ labels, value }) => {
    const { batch: _, ...others } = labels;
    return [Object.values(others).join(" "), value];
  }));
}
