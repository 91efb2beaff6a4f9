/**
 * Validates the input items of a response as OpenAI does.
 *
 * Source: the types of the `openai` package 7.57 (`ResponseInputItem`), and error bodies as users report
 * them ("No tool output found for function call …").
 *
 * @module
 */
import { type Fields, reject } from "../body_checks.ts";
import { openaiWording as wording } from "../openai_chat/validate_wording.ts";

const ROLES = ["assistant", "system", "developer", "user"];
const INPUT_PARTS = ["input_text", "input_image", "input_file", "input_audio"];
const OUTPUT_PARTS = ["output_text", "refusal"];
const ITEMS: readonly string[] = [
  ...["message", "reasoning", "item_reference", "compaction", "compaction_trigger", "program"],
  ...["program_output", "additional_tools", "configuration_update"],
  ...["function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"],
  ...["file_search_call", "web_search_call", "image_generation_call", "code_interpreter_call"],
  ...["computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output"],
  ...["shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output"],
  ...["tool_search_call", "tool_search_output", "mcp_list_tools", "mcp_approval_request"],
  ...["mcp_approval_response", "mcp_call"],
];

/** Rejects the request if none of the fields has a value. */
function needOneOf(part: Fields, ...names: string[]): void {
  if (!names.some((name) => part.has(name))) wording.missing(part.at(names[0]));
  for (const name of names) part.string(name);
}

function checkPart(part: Fields, allowed: readonly string[]): void {
  switch (part.required("type").choice("type", allowed)) {
    case "input_text":
    case "output_text":
      part.required("text").string("text");
      break;
    case "refusal":
      part.required("refusal").string("refusal");
      break;
    case "input_image":
      needOneOf(part, "image_url", "file_id");
      part.choice("detail", ["auto", "low", "high", "original"]);
      break;
    case "input_file":
      needOneOf(part, "file_id", "file_data", "file_url");
      break;
    case "input_audio": {
      const audio = part.requiredObject("input_audio");
      audio.required("data", "format").string("data");
      break;
    }
  }
}

function checkMessage(item: Fields): void {
  const role = item.required("role").choice("role", ROLES)!;
  if (typeof item.required("content").value.content === "string") return;
  const allowed = role === "assistant" ? OUTPUT_PARTS : INPUT_PARTS;
  for (const part of item.objects("content") ?? []) checkPart(part, allowed);
}

/** Checks each item, and that every call has an output and vice versa. */
export function checkInput(body: Fields, official: boolean): void {
  const open = new Set<string>();
  const answered = new Set<string>();
  const items = body.objects("input") ?? [];
  for (const item of items) {
    const type = item.string("type") ?? (item.has("role") ? "message" : undefined);
    if (type === undefined) wording.missing(item.at("type"));
    if (official) item.choice("type", ITEMS);
    switch (type) {
      case "message":
        checkMessage(item);
        break;
      case "function_call":
        item.required("call_id", "name", "arguments").string("arguments");
        open.add(item.string("call_id")!);
        break;
      case "custom_tool_call":
        item.required("call_id", "name", "input").string("input");
        open.add(item.string("call_id")!);
        break;
      // Codex answers it as a function.
      case "local_shell_call":
        open.add(item.required("call_id", "action").string("call_id")!);
        break;
      case "local_shell_call_output":
        answered.add(item.required("id", "output").string("id")!);
        break;
      case "function_call_output":
      case "custom_tool_call_output": {
        const id = item.required("call_id", "output").string("call_id")!;
        // The call may be in an earlier turn that the server stores.
        const isStored = body.has("previous_response_id") || body.has("conversation");
        if (!open.has(id) && !isStored) {
          const kind = type === "function_call_output" ? "function call" : "custom tool call";
          reject(`No tool call found for ${kind} output with call_id ${id}.`, "input");
        }
        answered.add(id);
        break;
      }
      case "reasoning":
        item.array("summary");
        break;
    }
  }
  const unanswered = [...open].find((id) => !answered.has(id));
  if (unanswered !== undefined) {
    reject(`No tool output found for function call ${unanswered}.`, "input");
  }
}
