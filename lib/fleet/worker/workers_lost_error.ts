/**
 * The error of a record that has outlived several workers.
 *
 * @module
 */
import { FlexLLMError } from "../../errors.ts";

/** Several workers were lost while they worked on the record, which may be the reason. */
export class WorkersLostError extends FlexLLMError {
  /** Always `"WorkersLostError"`. */
  override name = "WorkersLostError";

  /** Creates the error for a record that `workers` workers had. */
  constructor(workers: number) {
    super("internal", `${workers} workers were lost while they worked on it`, {
      hint: "Perhaps the record exhausts their memory. Look at the logs of the workers; the same " +
        "command sends it again.",
    });
  }
}
