/** The types of tools, through the library. */
import assert from "node:assert/strict";
import { isFunctionTool, type Tool } from "../../mod.ts";

Deno.test("the library distinguishes functions from a provider's own tools", () => {
  const tools: Tool[] = [
    { type: "function", function: { name: "add" } },
    { type: "web_search" },
    { type: "custom", custom: { name: "shell" } },
    { googleSearch: {} },
    { type: "function", name: "flat" },
  ];
  const names = tools.filter(isFunctionTool).map((tool) => tool.function.name);
  assert.deepEqual(names, ["add"]);
});
