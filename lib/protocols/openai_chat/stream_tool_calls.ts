/**
 * Assembles the tool calls of a Chat Completions stream from their pieces.
 *
 * Sources: OpenAI API reference, "Chat Completions › Streaming"; public reports of servers that leave
 * the index out (Gemini's compatible API), number all calls 0 (Ollama), send the name after the
 * arguments, or repeat it.
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import { asObject, asText, isJson, type Json } from "../../json/json.ts";
import { callExtras, customCall, decodeArguments, type DecodedCall } from "./answer_message.ts";

interface OpenCall {
  /** The index that the server gave it. */
  number: unknown;
  id: string | undefined;
  name: string;
  arguments: string;
  isCustom: boolean;
  extras: Json | undefined;
}

/** The tool calls of one stream. */
export class ToolCallAssembler {
  readonly #calls: OpenCall[] = [];

  /** The number of calls that have started. */
  get count(): number {
    return this.#calls.length;
  }

  /** Adds the `tool_calls` of a delta. */
  push(pieces: readonly unknown[], events: StreamEvent[]): void {
    for (const item of pieces) {
      const piece = asObject(item);
      if (piece !== undefined) events.push(this.#piece(piece));
    }
  }

  /** Fills in missing ids and arguments at the end of the stream. */
  close(events: StreamEvent[]): void {
    for (const [index, call] of this.#calls.entries()) {
      const hasNoArguments = call.arguments === "" && !call.isCustom;
      if (call.id !== undefined && !hasNoArguments) continue;
      const event: StreamEvent = {
        type: "tool_call",
        index,
        arguments: hasNoArguments ? "{}" : "",
      };
      if (hasNoArguments) call.arguments = "{}";
      if (call.id === undefined) event.id = call.id = `call_${index}`;
      events.push(event);
    }
  }

  /** The calls so far. */
  calls(): DecodedCall[] {
    return this.#calls.map(({ id, name, arguments: text, isCustom, extras }, index) => ({
      call: {
        id: id ?? `call_${index}`,
        type: isCustom ? "custom" : "function",
        function: { name, arguments: text },
      },
      extras,
    }));
  }

  #piece(piece: Json): StreamEvent {
    const custom = customCall(piece);
    const fn = custom ?? asObject(piece.function);
    const id = asText(piece.id);
    const name = asText(fn?.name);
    const text = decodeArguments(custom === undefined ? fn?.arguments : custom.input);
    const index = this.#indexOf(piece.index, id, name, text);
    const event: StreamEvent = { type: "tool_call", index, arguments: text };
    const call = this.#calls[index] ??= {
      number: piece.index,
      id: undefined,
      name: "",
      arguments: "",
      isCustom: false,
      extras: undefined,
    };
    if (id !== undefined && call.id === undefined) event.id = call.id = id;
    if (name !== undefined && call.name === "") event.name = call.name = name;
    if (custom !== undefined && !call.isCustom) {
      call.isCustom = true;
      event.kind = "custom";
    }
    call.arguments += text;
    const extras = callExtras(piece);
    if (extras !== undefined) call.extras = { ...call.extras, ...extras };
    return event;
  }

  /** The index of the call that a piece belongs to; the next index if it starts a call. */
  #indexOf(
    number: unknown,
    id: string | undefined,
    name: string | undefined,
    text: string,
  ): number {
    const calls = this.#calls;
    const isNumbered = typeof number === "number";
    if (id !== undefined) {
      const started = calls.findIndex((call) =>
        call.id === id && (!isNumbered || call.number === number)
      );
      if (started >= 0) return started;
    }
    const last = isNumbered
      ? calls.findLastIndex((call) => call.number === number)
      : calls.length - 1;
    if (last < 0) return calls.length;
    const call = calls[last];
    if (id === undefined) {
      const isAnother = name !== undefined && call.name !== "" && text !== "" &&
        isJson(call.arguments);
      return isAnother ? calls.length : last;
    }
    if (call.id === undefined && isNumbered) return last;
    // Some servers make a new id for every piece: it is still the same call.
    const isRotated = isNumbered && name === undefined && call.arguments !== "" &&
      !isJson(call.arguments);
    return isRotated ? last : calls.length;
  }
}
