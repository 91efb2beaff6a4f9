/**
 * Defines an effective setting, as `flexllm config show` lists it.
 *
 * @module
 */

/** An effective setting. */
export interface Setting {
  name: string;
  /** The value, with secrets masked. */
  value: string | number | boolean;
  /** A position in the file, the name of a variable, or `default`. */
  source: string;
}
