/**
 * Decides which requests to OpenAI only the Responses API accepts.
 *
 * Sources: OpenAI API reference, `tools` (Chat Completions has functions and custom tools only); OpenAI
 * documentation, "File inputs" (Chat Completions accepts PDF only); reports
 * of the errors of Chat Completions with GPT-5.4 and later (2026).
 *
 * @module
 */
import type { Message } from "../../chat/messages.ts";
import type { ChatRequest } from "../protocol.ts";

/** Models whose Chat Completions reject tools together with reasoning. */
const REASONING_WITH_TOOLS = /^gpt-(5\.[4-9]|[6-9])/;
/** Those of them that reason unless the request turns it off. */
const REASONS_BY_DEFAULT = /^gpt-[6-9]/;

/** Names of files other than PDFs. */
const DOCUMENT_NAME = /\.(docx?|odt|pptx?|rtf|xlsx?|csv|tsv|txt|md|json|html?|xml)$/i;

/**
 * Whether a message contains a file that is not a PDF. Files at paths have not been loaded yet, so that
 * their names decide.
 */
function hasDocument({ content }: Message): boolean {
  return Array.isArray(content) && content.some((part) => {
    if (part.type !== "file" || part.file.file_data === undefined) return false;
    const reference = part.file.file_data.slice(0, 4096);
    const isData = /^data:(?!application\/(pdf|octet-stream))[^;,]+[;,]/i.test(reference);
    return isData || DOCUMENT_NAME.test(reference);
  });
}

/**
 * Whether only the Responses API accepts `request`: it has tools that OpenAI runs itself, tools with
 * reasoning on one of the newest models, files other than PDFs, or a conversation that was started there.
 */
export function needsResponses({ model, messages, options }: ChatRequest): boolean {
  const isContinued = messages.some((message) =>
    message.role === "assistant" && message.providerMessage?.format === "responses"
  );
  const isHosted = options.tools?.some(({ type }) => type !== "function" && type !== "custom");
  if (isContinued || isHosted || messages.some(hasDocument)) return true;
  if (!options.tools?.length || !REASONING_WITH_TOOLS.test(model)) return false;
  return options.thinking === undefined
    ? REASONS_BY_DEFAULT.test(model)
    : options.thinking !== false;
}
