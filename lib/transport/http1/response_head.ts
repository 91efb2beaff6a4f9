/**
 * Parses the status line and headers of HTTP/1.x responses.
 *
 * Source: RFC 9112, sections 4 to 6 and 9.3; RFC 2068, section 19.7.1.1 (`keep-alive`).
 *
 * @module
 */

/** The headers of a response, and how its body is sent. */
export interface ResponseHead {
  status: number;
  /** Names and values in turn. */
  rawHeaders: string[];
  /** The bytes of the body; `undefined` if it is chunked or ends with the connection. */
  length: number | undefined;
  isChunked: boolean;
  /** Whether the connection can be used again. */
  isPersistent: boolean;
  /** The `timeout` of `keep-alive`: seconds after which the server closes an idle connection. */
  keepAlive: number | undefined;
}

/** A response that is not HTTP/1.x. */
export class InvalidHttpError extends Error {
  override readonly name = "InvalidHttpError";

  constructor(problem: string) {
    super(`invalid HTTP: ${problem}`);
  }
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?:[ \r\n]|$)/;
/** What the name of a header consists of. */
export const FIELD_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const CONTROL = /\0|\r(?!\n)/;
const FOLD = /\n[ \t]/;

/** What the headers say about the body and the connection. */
class Framing {
  length: number | undefined;
  transfer = "";
  connection = "";
  keepAlive: number | undefined;

  add(name: string, value: string): void {
    // The length rules out the other names, nearly always.
    switch (name.length) {
      case 10:
        if (/^connection$/i.test(name)) this.connection += `,${value.toLowerCase()}`;
        else if (/^keep-alive$/i.test(name)) this.keepAlive = timeoutOf(value);
        break;
      case 14:
        if (/^content-length$/i.test(name)) this.#setLength(value);
        break;
      case 17:
        if (/^transfer-encoding$/i.test(name)) this.transfer += `,${value.toLowerCase()}`;
        break;
    }
  }

  #setLength(value: string): void {
    // Some servers repeat it, in one header or in two.
    for (const part of value.includes(",") ? value.split(",") : [value]) {
      const text = part.trim();
      const length = /^\d+$/.test(text) ? Number(text) : NaN;
      if (!Number.isSafeInteger(length)) throw new InvalidHttpError(`content-length: ${value}`);
      if (this.length !== undefined && this.length !== length) {
        throw new InvalidHttpError("two different values of content-length");
      }
      this.length = length;
    }
  }
}

function timeoutOf(keepAlive: string): number | undefined {
  const timeout = /(?:^|[,\s])timeout\s*=\s*"?(\d+)/i.exec(keepAlive)?.[1];
  return timeout === undefined ? undefined : Number(timeout);
}

/** The items of a comma-separated header. */
function itemsOf(list: string): string[] {
  return list.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

/** Joins lines that start with white space to those before them. */
function unfold(text: string): string {
  return text.replace(/\r?\n[ \t]+/g, " ");
}

/**
 * Parses `text`, the head of a response without the empty line at its end.
 *
 * @param method of the request: the response to a HEAD has no body
 * @throws {InvalidHttpError} if it is not HTTP/1.x, or if it is unclear where the body ends
 */
export function parseHead(text: string, method: string): ResponseHead {
  if (CONTROL.test(text)) throw new InvalidHttpError("a control character in a header");
  const lines = FOLD.test(text) ? unfold(text) : text;
  const [, minor, code] = STATUS_LINE.exec(lines) ?? [];
  if (code === undefined) throw new InvalidHttpError("no status line");
  const rawHeaders: string[] = [];
  const framing = new Framing();
  for (let at = lines.indexOf("\n"); at >= 0;) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\n", at + 1);
    const name = lines.slice(at + 1, colon).trimEnd();
    // If this line has no colon, there is a line break in the name.
    if (colon < 0 || !FIELD_NAME.test(name)) throw new InvalidHttpError("a header without a name");
    const value = lines.slice(colon + 1, end < 0 ? undefined : end).trim();
    rawHeaders.push(name, value);
    framing.add(name, value);
    at = end;
  }
  return headOf(Number(code), Number(minor), method, rawHeaders, framing);
}

function headOf(
  status: number,
  minor: number,
  method: string,
  rawHeaders: string[],
  framing: Framing,
): ResponseHead {
  const codings = framing.transfer === "" ? [] : itemsOf(framing.transfer);
  const isChunked = codings.at(-1) === "chunked";
  if (
    codings.some((coding, i) => coding !== "identity" && !(isChunked && i === codings.length - 1))
  ) {
    throw new InvalidHttpError(`the transfer coding ${codings.join(", ")}`);
  }
  const options = framing.connection === "" ? [] : itemsOf(framing.connection);
  const hasNoBody = method === "HEAD" || status < 200 || status === 204 || status === 304;
  const length = hasNoBody ? 0 : isChunked ? undefined : framing.length;
  const isDelimited = length !== undefined || isChunked;
  const isKept = minor === 1 ? !options.includes("close") : options.includes("keep-alive");
  return {
    status,
    rawHeaders,
    length,
    isChunked: isChunked && !hasNoBody,
    // Both a length and chunks: the server is confused, or what follows is not its next response.
    isPersistent: isKept && isDelimited && !(isChunked && framing.length !== undefined),
    keepAlive: framing.keepAlive,
  };
}
