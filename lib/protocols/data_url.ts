/**
 * Data URLs with images in them.
 *
 * Source: RFC 2397.
 *
 * @module
 */

/** The parts of a base64 data URL. */
export interface DataUrl {
  mediaType: string;
  /** Base64. */
  data: string;
}

/** Takes a base64 data URL apart; `undefined` when `url` is none. */
export function parseDataUrl(url: string): DataUrl | undefined {
  const match = /^data:([^;,]+)(?:;[^;,]+)*;base64,/i.exec(url);
  return match === null
    ? undefined
    : { mediaType: match[1].toLowerCase(), data: url.slice(match[0].length) };
}
