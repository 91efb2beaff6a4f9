/**
 * The error of a request that the gateway itself refuses, before anything is sent to a provider.
 *
 * @module
 */
import { type ErrorDetails, FlexLLMError } from "../errors.ts";
import type { RateStates } from "./access.ts";

/** Details of a refused request. */
export interface GatewayErrorDetails extends ErrorDetails {
  /** The machine-readable reason, such as `model_not_found` or `budget_exceeded`. */
  reason: string;
  /** The field of the request that is wrong, such as `tools[3].type`. */
  param?: string;
  /** Seconds until a retry can succeed. */
  retryAfter?: number;
  /** The rates of the key that refused the request. */
  limits?: RateStates;
}

/** A request that the gateway refuses: the key, its limits, the model, or what the request contains. */
export class GatewayError extends FlexLLMError {
  /** Always `"GatewayError"`. */
  override name = "GatewayError";
  /** The HTTP status of the answer. */
  readonly status: number;
  /** See {@link GatewayErrorDetails.reason}. */
  readonly reason: string;
  /** See {@link GatewayErrorDetails.param}. */
  readonly param: string | undefined;
  /** See {@link GatewayErrorDetails.retryAfter}. */
  readonly retryAfter: number | undefined;
  /** See {@link GatewayErrorDetails.limits}. */
  readonly limits: RateStates | undefined;

  /** Creates an error that is answered with `status`. */
  constructor(status: number, message: string, details: GatewayErrorDetails) {
    super("invalid_input", message, details);
    this.status = status;
    this.reason = details.reason;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
    this.limits = details.limits;
  }
}
