/**
 * Lists the formats in which conversations are exported. Apart from export.ts, since help needs only the names.
 *
 * @module
 */

/** The formats of an export. */
export const EXPORT_FORMATS = ["md", "json", "jsonl", "html"] as const;

/** A format of an export. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
