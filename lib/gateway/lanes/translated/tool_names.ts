/**
 * Renames the tools of a request whose names another API does not accept, and reverses that in the answer.
 *
 * The names depend only on the tools of the request, so they are the same in every turn of a conversation.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isFunctionTool, type ProviderTool, type Tool } from "../../../chat/options.ts";
import { asObject, asText, type Json } from "../../../json/json.ts";
import type { Target } from "./target.ts";

/** The field that holds the text for a custom tool. */
export const CUSTOM_INPUT = "input";

/** The custom part of a tool in the form of Chat Completions; `undefined` if it is another tool. */
export function customOf(tool: Tool): Json | undefined {
  return tool.type === "custom" ? asObject((tool as ProviderTool).custom) : undefined;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The names of one request's tools at one endpoint. */
export class ToolNames {
  readonly #target: Target;
  /** The client's names of renamed tools, by the names that were sent. */
  readonly #sent = new Map<string, string>();

  /** @param tools the tools of the request */
  constructor(target: Target, tools: readonly Tool[]) {
    this.#target = target;
    for (const tool of tools) {
      const name = isFunctionTool(tool) ? tool.function.name : asText(customOf(tool)?.name);
      if (name === undefined) continue;
      const sent = this.sentName(name);
      if (sent !== name) this.#sent.set(sent, name);
    }
  }

  /** The name under which the endpoint knows the tool `name`. */
  sentName(name: string): string {
    const { pattern, maxLength } = this.#target.toolNames;
    if (name.length <= maxLength && pattern.test(name)) return name;
    // The hash keeps names apart that differ only in what is replaced.
    const valid = name.replace(/[^a-zA-Z0-9_-]/g, "_").replace(/^(?=[^a-zA-Z_])/, "_");
    return `${valid.slice(0, maxLength - 9)}_${shortHash(name)}`;
  }

  /** The client's name of a tool, by its name in the answer. */
  clientName(sent: string): string {
    return this.#sent.get(sent) ?? sent;
  }
}
