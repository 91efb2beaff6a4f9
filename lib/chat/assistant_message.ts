/**
 * Turns an answer into the assistant message for the next turn.
 *
 * @module
 */
import type { AssistantMessage, ProviderMessage } from "./messages.ts";
import type { ToolCall } from "./tool_call.ts";

/** The assistant message of an answer. */
export function assistantMessage(
  { content, toolCalls, providerMessage }: {
    content: string;
    toolCalls: ToolCall[];
    providerMessage?: ProviderMessage;
  },
): AssistantMessage {
  const message: AssistantMessage = { role: "assistant", content };
  if (toolCalls.length > 0) {
    message.tool_calls = toolCalls;
    if (content === "") message.content = null;
  }
  if (providerMessage !== undefined) message.providerMessage = providerMessage;
  return message;
}
