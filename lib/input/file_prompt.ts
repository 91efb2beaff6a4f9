/**
 * Builds the messages of a batch in which each file is a record.
 *
 * @module
 */
import { basename } from "node:path";
import type { ContentPart, Message } from "../chat/messages.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { isPlainBase64 } from "../transport/load_file.ts";
import { messageOf, textPart } from "./attachment_part.ts";
import type { FileContent } from "./file_content.ts";
import { loadTemplate, Template, unknownField } from "./template.ts";

/** The prompts of a batch of files. */
export interface FilePromptOptions {
  /** The prompt for each file, or `@` and the path of a file that contains it. */
  template?: string;
  /** The system prompt; with a template, one as well. */
  system?: string;
}

/** The fields of a file that templates can use. */
const FIELDS = ["file", "name", "text"];

/** `path` as a reference that can only be a path. */
function reference(path: string): string {
  return isPlainBase64(path) || /^[a-z][\w+.-]+:/i.test(path) ? `./${path}` : path;
}

/** The part that refers to a file which is read when its record is sent. */
function referencePart(kind: FileContent["kind"], path: string): ContentPart {
  const url = reference(path);
  switch (kind) {
    case "image":
      return { type: "image_url", image_url: { url } };
    case "audio":
      return { type: "input_audio", input_audio: { data: url } };
    default:
      return { type: "file", file: { file_data: url, filename: basename(path) } };
  }
}

/** The prompts of a batch of files. */
export class FilePrompt {
  readonly #prompt: Template | undefined;
  readonly #system: Template | undefined;
  /** Whether the template contains the text itself. */
  readonly #insertsText: boolean;

  /**
   * Parses the prompts.
   *
   * @param input the name of the input, for messages
   * @throws {ConfigurationError} if there is no prompt, or a template is invalid
   */
  constructor({ template, system }: FilePromptOptions, input: string) {
    if (template === undefined && !system) {
      throw new ConfigurationError(`no prompt for the files of ${input}`, {
        hint: 'Add one, e.g. --template "Describe this."; {{file}} is the path of the file, ' +
          "{{name}} its name, and {{text}} the text of a text file.",
      });
    }
    if (template === undefined) {
      this.#insertsText = false;
      return;
    }
    this.#prompt = loadTemplate(template, { allowsConstant: true });
    this.#system = system === undefined ? undefined : new Template(system, "the system prompt");
    const used = [...this.#prompt.fields, ...this.#system?.fields ?? []];
    const unknown = used.find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) {
      throw new ConfigurationError(unknownField(unknown, "the fields of a file are", FIELDS));
    }
    this.#insertsText = used.includes("text");
  }

  /**
   * The messages of one file.
   *
   * @throws {InvalidInputError} if the template needs its text, and it is not text
   */
  messages(path: string, content: FileContent): Message[] {
    const name = basename(path);
    const fields = { file: path, name, text: content.kind === "text" ? content.text : undefined };
    if (this.#insertsText && content.kind !== "text") {
      throw new InvalidInputError(`${path} is not text, but the template uses {{text}}`);
    }
    const attached = content.kind !== "text"
      ? [referencePart(content.kind, path)]
      : this.#insertsText
      ? []
      : [textPart(content.text, name)];
    const [prompt, system] = [this.#prompt, this.#system].map((template) => {
      const rendered = template?.render(fields);
      return rendered !== undefined && "text" in rendered ? rendered.text : "";
    });
    const user = messageOf(prompt, attached);
    return system === "" ? [user] : [{ role: "system", content: system }, user];
  }
}
