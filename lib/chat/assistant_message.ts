/**
 * The answer as a message for the next turn.
 *
 * @module
 */
import type { AssistantMessage, ProviderMessage } from "./messages.ts";
import type { ToolCall } from "./tool_call.ts";

/** Makes the message that stands for an answer in the conversation that goes on. */
export function assistantMessage(
  { content, toolCalls, native }: {
    content: string;
    toolCalls: ToolCall[];
    native?: ProviderMessage;
  },
): AssistantMessage {
  const message: AssistantMessage = { role: "assistant", content };
  if (toolCalls.length > 0) {
    message.tool_calls = toolCalls;
    if (content === "") message.content = null;
  }
  if (native !== undefined) message.native = native;
  return message;
}
