/**
 * Turns tool calls of the provider into calls of the client's tools: under the client's names, and with text
 * for custom tools, which most models can only call as functions.
 *
 * @module
 */
import type { ToolCall } from "../../../chat/tool_call.ts";
import { asText } from "../../../json/json.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import type { LaneRequest } from "../../lane.ts";
import { customInputOf } from "./custom_input.ts";
import { targetOf } from "./target.ts";
import { customOf, ToolNames } from "./tool_names.ts";

/** The tools of the client in one call. */
export class ClientTools {
  readonly #names: ToolNames | undefined;
  readonly #custom = new Set<string>();

  constructor(call: GatewayCall, { endpoint, protocol, model }: LaneRequest) {
    const { tools = [] } = call.request.chat.options;
    if (tools.length === 0) return;
    this.#names = new ToolNames(targetOf(endpoint, protocol, model), tools);
    for (const tool of tools) {
      const name = asText(customOf(tool)?.name);
      if (name !== undefined) this.#custom.add(name);
    }
  }

  /** The client's name of the tool that the provider calls `name`. */
  clientName(name: string): string {
    return this.#names?.clientName(name) ?? name;
  }

  /** Whether the client's tool `name` takes text. */
  isCustom(name: string): boolean {
    return this.#custom.has(name);
  }

  /** A whole call as the client expects it. */
  clientCall(call: ToolCall): ToolCall {
    const { arguments: text } = call.function;
    const name = this.clientName(call.function.name);
    return call.type === "function" && this.isCustom(name)
      ? { ...call, type: "custom", function: { name, arguments: customInputOf(text) } }
      : { ...call, function: { name, arguments: text } };
  }
}
