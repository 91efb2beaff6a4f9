/**
 * Parses base64 data URLs.
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

/** Parses a base64 data URL; `undefined` if `url` is not one. */
export function parseDataUrl(url: string): DataUrl | undefined {
  const match = /^data:([^;,]+)(?:;[^;,]+)*;base64,/i.exec(url);
  return match === null
    ? undefined
    : { mediaType: match[1].toLowerCase(), data: url.slice(match[0].length) };
}
