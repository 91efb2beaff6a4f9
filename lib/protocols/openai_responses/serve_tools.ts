/**
 * Decodes the tools of Responses requests, and finds the tool that a call belongs to.
 *
 * Functions in a namespace, the client's own tool search and the local shell have no counterpart in other
 * formats: they become functions, under names that no other tool of the request has, and calls of them are
 * written back in their own form. The tools of a request also come with its input: `additional_tools`, and
 * the results of a search.
 *
 * Sources: OpenAI API reference, "Responses"; the types of the `openai` package 7.57 (`NamespaceTool`,
 * `ToolSearchTool`, `ResponseInputItem`); the requests of Codex CLI.
 *
 * @module
 */
import type { Tool } from "../../chat/options.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, asText, type Json, tryParse } from "../../json/json.ts";

/** A tool of the client that other formats know under another name or as a function. */
interface ClientTool {
  type: "function" | "custom" | "tool_search" | "local_shell";
  name: string;
  namespace?: string;
}

/** The tools of a request. */
export interface ClientTools {
  /** All tools, those of namespaces one by one. Tools that OpenAI runs are unchanged. */
  readonly tools: readonly Tool[];
  /** The tools that are called in a special form, by the name of their function. */
  readonly special: ReadonlyMap<string, ClientTool>;
}

/** The arguments of the local shell, as its calls have them. */
const SHELL_PARAMETERS = {
  type: "object",
  properties: {
    command: {
      type: "array",
      items: { type: "string" },
      description: "The program and its arguments.",
    },
    working_directory: { type: "string", description: "Where to run it." },
    timeout_ms: { type: "integer", description: "When to stop it, in milliseconds." },
  },
  required: ["command"],
  additionalProperties: false,
};

/** The name of a function in a namespace, for formats without namespaces. */
function flatName(namespace: unknown, name: string): string {
  const prefix = asText(namespace);
  if (prefix === undefined) return name;
  return prefix.endsWith("__") ? prefix + name : `${prefix}__${name}`;
}

function decodeFunction({ name, description, parameters, strict }: Json): Tool {
  const fn: Json = { name };
  if (asText(description)) fn.description = description;
  if (asObject(parameters)) fn.parameters = parameters;
  // Here, a function is strict unless it says otherwise.
  if (strict !== false) fn.strict = true;
  return { type: "function", function: fn } as unknown as Tool;
}

function decodeCustom({ type, ...custom }: Json): Tool {
  if (custom.custom !== undefined) return { type, ...custom };
  const { type: kind, ...grammar } = asObject(custom.format) ?? {};
  return {
    type,
    custom: kind === "grammar" ? { ...custom, format: { type: kind, grammar } } : custom,
  };
}

class ToolDecoder implements ClientTools {
  readonly tools: Tool[] = [];
  readonly special = new Map<string, ClientTool>();
  readonly #names = new Set<string>();

  add(tool: Json, namespace?: Json): void {
    const { type } = tool;
    const name = asText(tool.name) ?? "";
    if (type === "function" || type === "custom") {
      const space = asText(namespace?.name);
      const flat = flatName(space, name);
      // A result of a search may be among the tools already.
      if (space !== undefined && this.#names.has(flat)) return;
      if (space === undefined) {
        this.#add(name, tool);
      } else {
        this.special.set(flat, { type, name, namespace: space });
        const description = tool.description ?? namespace?.description ?? "";
        this.#add(flat, { ...tool, name: flat, description });
      }
    } else if (type === "namespace") {
      for (const child of asObjects(tool.tools)) this.add(child, tool);
    } else if (type === "tool_search" && tool.execution === "client") {
      this.special.set("tool_search", { type, name: "tool_search" });
      const { description, parameters } = tool;
      this.#add("tool_search", {
        type: "function",
        name: "tool_search",
        description: asText(description) ?? "Search for further tools.",
        parameters,
        strict: false,
      });
    } else if (type === "local_shell") {
      this.special.set(type, { type, name: type });
      this.#add(type, {
        type: "function",
        name: type,
        description: "Run a program on the user's machine.",
        parameters: SHELL_PARAMETERS,
        strict: false,
      });
    } else this.tools.push(tool);
  }

  #add(name: string, tool: Json): void {
    this.#names.add(name);
    this.tools.push(tool.type === "custom" ? decodeCustom(tool) : decodeFunction(tool));
  }
}

const decoded = new WeakMap<Json, ClientTools>();

/** The tools of a request body. */
export function clientTools(body: Json): ClientTools {
  let tools = decoded.get(body);
  if (tools === undefined) {
    const decoder = new ToolDecoder();
    for (const tool of asObjects(body.tools)) decoder.add(tool);
    for (const { type, tools } of asObjects(body.input)) {
      if (type !== "additional_tools" && type !== "tool_search_output") continue;
      for (const tool of asObjects(tools)) decoder.add(tool);
    }
    decoded.set(body, tools = decoder);
  }
  return tools;
}

/** Items with calls of the client's tools. */
const CALLS: readonly unknown[] = [
  "function_call",
  "custom_tool_call",
  "tool_search_call",
  "local_shell_call",
];
/** Items with their results. */
const CALL_OUTPUTS: readonly unknown[] = [
  "function_call_output",
  "custom_tool_call_output",
  "tool_search_output",
  "local_shell_call_output",
];

/** Whether an item is a call of one of the client's tools. */
export function isCallItem({ type }: Json): boolean {
  return CALLS.includes(type);
}

/** Whether an item is the result of such a call. */
export function isCallOutput({ type }: Json): boolean {
  return CALL_OUTPUTS.includes(type);
}

/** Whether a {@link ToolCall} can hold all of a call item. */
export function isPlainCall({ type, namespace }: Json): boolean {
  return (type === "function_call" || type === "custom_tool_call") && !asText(namespace);
}

/** Decodes a call in the history; the reverse of {@link encodeCallItem}. */
export function decodeCallItem(item: Json, index: number): ToolCall {
  const id = asText(item.call_id) ?? asText(item.id) ?? `call_${index}`;
  const call = (name: string, value: unknown, type: ToolCall["type"] = "function"): ToolCall => ({
    id,
    type,
    function: { name, arguments: typeof value === "string" ? value : JSON.stringify(value ?? {}) },
  });
  switch (item.type) {
    case "custom_tool_call":
      return call(flatName(item.namespace, asText(item.name) ?? ""), item.input ?? "", "custom");
    case "tool_search_call":
      return call("tool_search", item.arguments);
    case "local_shell_call": {
      const { command, working_directory, timeout_ms } = asObject(item.action) ?? {};
      return call("local_shell", {
        command,
        working_directory: working_directory ?? undefined,
        timeout_ms: timeout_ms ?? undefined,
      });
    }
    default:
      return call(flatName(item.namespace, asText(item.name) ?? ""), item.arguments || "{}");
  }
}

/** The names of the tools that a search has found. */
export function foundTools(item: Json): string {
  const names = asObjects(item.tools).flatMap((tool) =>
    tool.type === "namespace"
      ? asObjects(tool.tools).map(({ name }) => flatName(tool.name, String(name)))
      : [String(tool.name ?? tool.type)]
  );
  return names.length === 0
    ? "No tools found."
    : `These tools are available now: ${names.join(", ")}`;
}

/**
 * The fields of an item that calls a tool of the client, without `id` and `status`: in a namespace, a tool
 * search, the local shell, or as the call itself says.
 */
export function encodeCallItem(call: ToolCall, { special }: ClientTools): Json {
  const { id: call_id, type, function: { name, arguments: text } } = call;
  const tool = special.get(name);
  switch (tool?.type) {
    case "tool_search":
      return {
        type: "tool_search_call",
        call_id,
        execution: "client",
        arguments: tryParse(text || "{}") ?? text,
      };
    case "local_shell": {
      const { command, working_directory, timeout_ms } = asObject(tryParse(text)) ?? {};
      const given = typeof command === "string" ? ["bash", "-lc", command] : command;
      return {
        type: "local_shell_call",
        call_id,
        action: {
          type: "exec",
          command: Array.isArray(given) ? given.map(String) : [],
          env: {},
          working_directory,
          timeout_ms,
        },
      };
    }
  }
  const named = tool?.namespace === undefined
    ? { name }
    : { name: tool.name, namespace: tool.namespace };
  return type === "custom"
    ? { type: "custom_tool_call", call_id, ...named, input: text }
    : { type: "function_call", call_id, ...named, arguments: text || "{}" };
}
