/** The dashboard for Grafana: its queries are valid and use metrics and labels that exist. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { GatewayMetrics } from "../../lib/gateway/observe/metrics.ts";
import { BatchMetrics } from "../../lib/metrics/batch_metrics.ts";
import { emptySummary } from "../../lib/batch/summary.ts";
import {
  BATCH_METRICS,
  BUILD_INFO,
  ENDPOINT_METRICS,
  GATEWAY_METRICS,
  type MetricDefinition,
  REQUEST_METRICS,
  SPENDING_METRICS,
} from "../../lib/metrics/definitions.ts";
import { ROOT } from "../support/cli.ts";
import { observedGateway } from "../support/gateway_facts.ts";

const FILE = "docs/grafana/flexllm.json";

const DEFINITIONS: MetricDefinition[] = [
  ...[REQUEST_METRICS, ENDPOINT_METRICS, GATEWAY_METRICS, BATCH_METRICS].flatMap((group) =>
    Object.values<MetricDefinition>(group)
  ),
  ...Object.values(SPENDING_METRICS).flatMap(({ spent, remaining }) => [spent, remaining]),
  BUILD_INFO,
];

/** Labels that a scrape, the file of a batch or a histogram adds to all metrics. */
const ADDED = ["instance", "job", "batch"];

interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
}

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
}

interface Variable {
  name: string;
  type: string;
  definition?: string;
}

const DASHBOARD: { panels: Panel[]; templating: { list: Variable[] } } = JSON.parse(
  readFileSync(join(ROOT, FILE), "utf8"),
);
const TARGETS = DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
  targets.map((target) => ({ title, ...target }))
);

/** One use of a metric in a query. */
interface Use {
  metric: string;
  labels: string[];
  isRate: boolean;
}

/** What a query uses. Throws if it is invalid. */
function usesOf(query: string): { uses: Use[]; grouping: string[] } {
  const expr = query.replaceAll("$__rate_interval", "5m").replace(/\$(instance|batch)/g, "x");
  assert.doesNotMatch(expr, /\$/, "an unknown variable");
  const uses: Use[] = [];
  const grouping: string[] = [];
  parser.parse(expr).iterate({
    enter(node) {
      const text = expr.slice(node.from, node.to);
      assert.ok(!node.type.isError, `invalid at ${node.from}: ${expr}`);
      if (node.name === "GroupingLabels") {
        grouping.push(
          ...node.node.getChildren("LabelName").map(({ from, to }) => expr.slice(from, to)),
        );
      }
      if (node.name === "VectorSelector") {
        uses.push({
          metric: "",
          labels: [],
          isRate: node.node.parent?.name === "MatrixSelector",
        });
      }
      if (node.name === "Identifier") uses.at(-1)!.metric = text;
      const isMatcher = node.node.parent?.name === "UnquotedLabelMatcher";
      if (node.name === "LabelName" && isMatcher) uses.at(-1)!.labels.push(text);
    },
  });
  return { uses, grouping };
}

/** The definition of a metric, or of the histogram that it is a part of. */
function definitionOf(metric: string): MetricDefinition | undefined {
  const base = metric.replace(/_(bucket|sum|count)$/, "");
  return DEFINITIONS.find(({ name, type }) =>
    type === "histogram" ? name === base && name !== metric : name === metric
  );
}

Deno.test("the table of metrics has those of gateways and batches, and no others", async () => {
  const store = { up: true, gateways: 2, address: "redis://a", downFor: 0, publishesKeys: true };
  const gateway = await new GatewayMetrics(observedGateway({ store })).read();
  const batch = await BatchMetrics.load({
    name: "x",
    isCacheOn: true,
    budget: 1,
    spentBefore: 0,
    state: () => ({ isRunning: true, total: 0, summary: emptySummary(), endpoints: [] }),
  });
  const text = gateway.text + await batch.text();
  const names = Array.from(text.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name);
  assert.deepEqual([...new Set(names)].sort(), DEFINITIONS.map(({ name }) => name).sort());
});

Deno.test("every query is valid, and its metrics and labels exist", () => {
  assert.ok(TARGETS.length > 40);
  for (const { title, expr, legendFormat } of TARGETS) {
    const { uses, grouping } = usesOf(expr);
    assert.ok(uses.length > 0, title);
    const known = new Set(ADDED);
    for (const { metric, labels, isRate } of uses) {
      const definition = definitionOf(metric);
      assert.ok(definition, `${title}: ${metric} does not exist`);
      assert.equal(isRate, definition.type !== "gauge", `${title}: rate of ${metric}`);
      for (const label of definition.labels) known.add(label);
      if (metric.endsWith("_bucket")) known.add("le");
      for (const label of labels) {
        const exists: boolean = ADDED.includes(label) || definition.labels.includes(label);
        assert.ok(exists, `${title}: ${metric} has no label ${label}`);
      }
      assert.ok(labels.includes("instance"), `${title}: ${metric} ignores $instance`);
      assert.ok(labels.includes("batch"), `${title}: batches and gateways are mixed`);
    }
    for (const label of grouping) assert.ok(known.has(label), `${title}: by ${label}`);
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      assert.ok(grouping.includes(label), `${title}: the legend has no ${label}`);
    }
  }
});

Deno.test("the check of queries finds what it looks for", () => {
  assert.throws(() => usesOf("sum(rate(flexllm_requests_total[5m])"), /invalid/);
  assert.throws(() => usesOf("flexllm_batch_running{a=$other}"), /unknown variable/);
  assert.equal(definitionOf("flexllm_request_duration_seconds"), undefined);
  assert.equal(definitionOf("flexllm_requests_total_bucket"), undefined);
  const { uses, grouping } = usesOf('sum by (a) (rate(x{b="1"}[5m])) / y');
  assert.deepEqual(uses, [
    { metric: "x", labels: ["b"], isRate: true },
    { metric: "y", labels: [], isRate: false },
  ]);
  assert.deepEqual(grouping, ["a"]);
});

Deno.test("every metric of a gateway's calls and of a batch is on the dashboard", () => {
  const used = new Set(
    TARGETS.flatMap(({ expr }) => usesOf(expr).uses)
      .map(({ metric }) => definitionOf(metric)?.name),
  );
  const hidden = [
    // Of one process, or constant.
    "flexllm_build_info",
    "flexllm_draining",
    "flexllm_batch_start_time_seconds",
    "flexllm_team_budget_remaining_usd",
    "flexllm_all_keys_budget_remaining_usd",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
  ];
  const missing = DEFINITIONS.map(({ name }) => name).filter((name) => !used.has(name));
  assert.deepEqual(missing.sort(), hidden.sort());
});

Deno.test("queries and alerts on the pages are valid, and their metrics exist", () => {
  const page = (name: string) => readFileSync(join(ROOT, "docs", name), "utf8");
  const alerts = Array.from(page("prometheus.md").matchAll(/^ +expr: (.+)$/gm), ([, expr]) => expr);
  const queries = Array.from(
    page("monitoring.md").matchAll(/^```promql\n([^`]+)^```$/gm),
    ([, block]) => block.split("\n\n").map((query) => query.replace(/^#.*$/gm, "").trim()),
  ).flat();
  assert.ok(alerts.length > 4 && queries.length > 4);
  for (const expr of [...alerts, ...queries]) {
    for (const { metric, labels } of usesOf(expr).uses) {
      const definition = definitionOf(metric);
      assert.ok(definition, `${expr}: ${metric} does not exist`);
      for (const label of labels) assert.ok(definition.labels.includes(label), expr);
    }
  }
});

Deno.test("the page lists every metric of a batch", () => {
  const page = readFileSync(join(ROOT, "docs/prometheus.md"), "utf8");
  const listed = Array.from(page.matchAll(/^\| `(\w+)`/gm), ([, name]) => name);
  const names = Object.values<MetricDefinition>(BATCH_METRICS).map(({ name }) => name);
  assert.deepEqual(listed.sort(), names.sort());
});

Deno.test("variables are read from metrics that exist", () => {
  const queries = DASHBOARD.templating.list.filter(({ type }) => type === "query");
  assert.deepEqual(queries.map(({ name }) => name), ["instance", "batch"]);
  for (const { name, definition = "" } of queries) {
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
    assert.ok(definitionOf(metric), definition);
    assert.equal(label, name);
  }
});

Deno.test("panels have their own ids, titles and places", () => {
  const { panels } = DASHBOARD;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { type, title, description, targets = [], gridPos: { x, y, w, h } } of panels) {
    assert.ok(x >= 0 && x + w <= 24 && w > 0 && h > 0, title);
    assert.ok(type === "row" || description?.endsWith("."), `${title}: no description`);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        const place = `${column},${row}`;
        assert.equal(taken.get(place), undefined, `${title} is over ${taken.get(place)}`);
        taken.set(place, title);
      }
    }
  }
});
