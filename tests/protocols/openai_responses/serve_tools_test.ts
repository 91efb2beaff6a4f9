/** Tools of Responses clients that other formats don't have: namespaces, tool searches, the local shell. */
import assert from "node:assert/strict";
import type { Json } from "../../../lib/json/json.ts";
import {
  clientTools,
  decodeCallItem,
  encodeCallItem,
} from "../../../lib/protocols/openai_responses/serve_tools.ts";

const fn = (name: string): Json => ({ type: "function", name, strict: false, parameters: {} });
const BODY: Json = {
  tools: [
    fn("log"),
    {
      type: "namespace",
      name: "git",
      description: "Git",
      tools: [fn("log"), { type: "custom", name: "run" }],
    },
    { type: "namespace", name: "mcp__cal__", description: "Dates", tools: [fn("add")] },
    { type: "tool_search", execution: "client", parameters: {} },
    { type: "local_shell" },
    { type: "web_search" },
  ],
  input: [
    { type: "additional_tools", role: "developer", tools: [fn("wait")] },
    {
      type: "tool_search_output",
      call_id: "c",
      tools: [{
        type: "namespace",
        name: "git",
        description: "Git",
        tools: [fn("log"), fn("diff")],
      }],
    },
  ],
};

Deno.test("all tools of a request have names of their own", () => {
  const names = clientTools(BODY).tools.map((tool) => {
    const { type, function: fn, custom } = tool as Json;
    return ((fn ?? custom) as Json | undefined)?.name ?? type;
  });
  assert.deepEqual(names, [
    "log",
    "git__log",
    "git__run",
    "mcp__cal__add",
    "tool_search",
    "local_shell",
    "web_search",
    "wait",
    "git__diff",
  ]);
});

const CALLS: Json[] = [
  { type: "function_call", call_id: "c", name: "log", arguments: "{}" },
  { type: "function_call", call_id: "c", name: "log", namespace: "git", arguments: '{"n":1}' },
  { type: "function_call", call_id: "c", name: "diff", namespace: "git", arguments: "{}" },
  { type: "function_call", call_id: "c", name: "add", namespace: "mcp__cal__", arguments: "{}" },
  { type: "custom_tool_call", call_id: "c", name: "run", namespace: "git", input: "a\nb" },
  { type: "custom_tool_call", call_id: "c", name: "other", input: "" },
  { type: "tool_search_call", call_id: "c", execution: "client", arguments: { query: "x" } },
  {
    type: "local_shell_call",
    call_id: "c",
    action: { type: "exec", command: ["ls"], env: {}, working_directory: "/", timeout_ms: 5 },
  },
];

for (const item of CALLS) {
  Deno.test(`${item.type} of ${item.namespace ?? ""} ${item.name ?? ""} survives`, () => {
    assert.deepEqual(encodeCallItem(decodeCallItem(item, 0), clientTools(BODY)), item);
  });
}

Deno.test("a model that writes the command as one text gets a shell", () => {
  const call = {
    id: "c",
    type: "function" as const,
    function: { name: "local_shell", arguments: '{"command":"ls | wc"}' },
  };
  const { action } = encodeCallItem(call, clientTools(BODY));
  assert.deepEqual((action as Json).command, ["bash", "-lc", "ls | wc"]);
});
