/**
 * Puts system messages where the endpoint accepts them. Messages in the middle stay there, as part of the
 * user's turn: moved to the start, they would invalidate the prompt cache and come out of context.
 *
 * @module
 */
import { isSystemMessage, type Message, type SystemMessage } from "../../../chat/messages.ts";
import { asObjects } from "../../../json/json.ts";
import type { Target } from "./target.ts";
import type { Located } from "./tool_results.ts";

/** The text of a system message. */
function textOf({ content }: SystemMessage): string {
  return typeof content === "string"
    ? content
    : asObjects(content).map(({ text }) => text).join("\n\n");
}

function asUser(message: SystemMessage): Message {
  return { role: "user", content: `<system>\n${textOf(message)}\n</system>` };
}

function isAnswerNext(messages: readonly Located[], i: number): boolean {
  const before = messages[i - 1]?.message.role;
  const after = messages[i + 1]?.message.role;
  return (before === "user" || before === "tool") && (after === undefined || after === "assistant");
}

/** Places the system messages of a conversation. */
export function withSystemMessages(messages: readonly Located[], target: Target): Located[] {
  const start = messages.findIndex(({ message }) => !isSystemMessage(message));
  const count = start < 0 ? messages.length : start;
  const first = messages.slice(0, count) as Located<SystemMessage>[];
  let head: Located[] = first;
  if (target.oneSystemMessage && count > 1) {
    const content = first.map(({ message }) => textOf(message)).join("\n\n");
    head = [{ path: first[0].path, message: { role: "system", content } }];
  }
  const rest = messages.slice(count).map((located, i, turns): Located => {
    const { message, path } = located;
    if (!isSystemMessage(message) || target.systemMessages === "anywhere") return located;
    if (target.systemMessages === "before answers" && isAnswerNext(turns, i)) return located;
    return { path, message: asUser(message) };
  });
  // Only Chat Completions and Responses answer a request without a user's turn.
  const needsUser = target.systemMessages !== "anywhere" && rest.length === 0 && head.length > 0;
  return needsUser
    ? head.map(({ message, path }, i) =>
      i === head.length - 1
        ? { path, message: { role: "user", content: textOf(message as SystemMessage) } }
        : { message, path }
    )
    : [...head, ...rest];
}
