/**
 * Puts the events of a streamed answer into the order and the form that every client format can express.
 *
 * Messages and Responses consist of blocks that come one after the other, and a block starts with the id and the
 * name of its call. Providers of Chat Completions may send the pieces of parallel calls in turn, and names after
 * arguments. The pieces of one call pass at once; all else waits until that call is complete.
 *
 * @module
 */
import type { StreamEvent } from "../../../chat/events.ts";
import { isJson } from "../../../json/json.ts";
import type { ClientTools } from "./client_tools.ts";
import { CustomInputReader } from "./custom_input.ts";

type ToolCallEvent = StreamEvent & { type: "tool_call" };

/** The call whose pieces pass. */
interface OpenCall {
  readonly index: number;
  id: string | undefined;
  name: string | undefined;
  isCustom: boolean;
  /** All arguments so far. */
  arguments: string;
  /** Whether its first piece, with id and name, has passed. */
  isStarted: boolean;
  /** Decodes the arguments of a function that replaces a custom tool. */
  input: CustomInputReader | undefined;
}

/** Orders the events of one answer. */
export class AnswerEvents {
  readonly #tools: Pick<ClientTools, "clientName" | "isCustom">;
  #open: OpenCall | undefined;
  #waiting: StreamEvent[] = [];

  constructor(tools: Pick<ClientTools, "clientName" | "isCustom">) {
    this.#tools = tools;
  }

  /** Adds a part of the answer, and appends the events that can be sent now to `ready`. */
  push(event: StreamEvent, ready: StreamEvent[]): void {
    const open = this.#open;
    if (open === undefined) {
      if (event.type !== "tool_call") ready.push(event);
      else this.#start(event, ready);
      return;
    }
    if (event.type === "tool_call" && event.index === open.index) this.#piece(open, event, ready);
    else this.#waiting.push(event);
    if (this.#waiting.length > 0 && isComplete(open)) this.#next(ready);
  }

  /** Ends the answer: nothing more will come. */
  end(ready: StreamEvent[]): void {
    while (this.#open !== undefined) this.#next(ready);
  }

  #start(event: ToolCallEvent, ready: StreamEvent[]): void {
    this.#open = {
      index: event.index,
      id: undefined,
      name: undefined,
      isCustom: false,
      arguments: "",
      isStarted: false,
      input: undefined,
    };
    this.#piece(this.#open, event, ready);
  }

  #piece(open: OpenCall, event: ToolCallEvent, ready: StreamEvent[]): void {
    open.id ??= event.id || undefined;
    open.name ??= event.name || undefined;
    open.isCustom ||= event.kind === "custom";
    open.arguments += event.arguments;
    if (open.isStarted) this.#pass(open, event.arguments, ready);
    else if (open.id !== undefined && open.name !== undefined) this.#begin(open, ready);
  }

  /** Sends the id and the name of a call, and the arguments that came before them. */
  #begin(open: OpenCall, ready: StreamEvent[]): void {
    const { index, id = "" } = open;
    const name = this.#tools.clientName(open.name ?? "");
    open.isStarted = true;
    if (!open.isCustom && this.#tools.isCustom(name)) open.input = new CustomInputReader();
    const kind = open.isCustom || open.input !== undefined ? { kind: "custom" as const } : {};
    ready.push({ type: "tool_call", index, id, name, arguments: "", ...kind });
    this.#pass(open, open.arguments, ready);
  }

  #pass({ index, input }: OpenCall, piece: string, ready: StreamEvent[]): void {
    const text = input === undefined ? piece : input.push(piece);
    if (text !== "") ready.push({ type: "tool_call", index, arguments: text });
  }

  /** Ends the open call, and lets what has waited for it pass. */
  #next(ready: StreamEvent[]): void {
    const open = this.#open!;
    const { index } = open;
    if (!open.isStarted) this.#begin(open, ready);
    let rest = "";
    if (open.input !== undefined) rest = open.input.end();
    else if (!open.isCustom && open.arguments.trim() === "") rest = "{}";
    if (rest !== "") ready.push({ type: "tool_call", index, arguments: rest });
    this.#open = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.push(event, ready);
  }
}

/** Whether no more arguments can follow. The end of a custom call shows only in what comes after it. */
function isComplete({ isCustom, isStarted, arguments: text }: OpenCall): boolean {
  return isStarted && (isCustom || text.trim() !== "" && isJson(text));
}
