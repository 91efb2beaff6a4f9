/**
 * Maps the finish reasons of OpenAI-compatible servers to ours.
 *
 * Sources: OpenAI API reference, `finish_reason`; the enumerations of Mistral (`model_length`), Zhipu
 * (`sensitive`, `network_error`), DeepSeek (`insufficient_system_resource`), TGI (`eos_token`), Together
 * (`eos`), vLLM and SGLang (`abort`), OpenRouter (`error`), Anthropic (`end_turn`, `max_tokens`,
 * `refusal`, …) and Gemini (`STOP`, `content_filter: PROHIBITED_CONTENT`, …), which gateways pass on.
 *
 * @module
 */
import type { FinishReason } from "../chat/result.ts";

const KINDS: readonly (readonly [RegExp, FinishReason | "failure"])[] = [
  [
    /\b(error|network_error|abort|aborted|failed|cancelled|insufficient_system_resource|malformed_(function_call|response)|unexpected_tool_call|too_many_tool_calls)\b/,
    "failure",
  ],
  [/\b(\w+_)?length\b|\bmax_(output_|completion_)?tokens\b|context_window/, "length"],
  [
    /filter|\b(sensitive|refusal|safety|image_safety|recitation|blocklist|blocked|prohibited_content|image_prohibited_content|spii|language|model_armor|jailbreak|guardrail_intervened)\b/,
    "content_filter",
  ],
  [
    /\b(stop|stop_sequence|eos|eos_token|end_turn|completed?|tool_calls?|tool_use|function_call)\b/,
    "stop",
  ],
];

function kindOf(reason: unknown): FinishReason | "failure" {
  if (reason === "stop" || reason === "length" || reason === "content_filter") return reason;
  if (typeof reason !== "string") return "other";
  const words = reason.toLowerCase();
  return KINDS.find(([pattern]) => pattern.test(words))?.[1] ?? "other";
}

/** Whether `reason` means that the server failed, so that the partial answer is useless. */
export function isFailure(reason: unknown): boolean {
  return kindOf(reason) === "failure";
}

/** Maps a finish reason to ours; servers may omit it or send `stop` for tool calls. */
export function finishReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  const kind = kindOf(reason);
  if (kind === "length" || kind === "content_filter") return kind;
  if (hasToolCalls) return "tool_calls";
  return kind === "failure" ? "other" : kind;
}
