/**
 * Defines the limits of a virtual key, a team or the whole gateway.
 *
 * @module
 */

/** Limits; an absent one does not limit. */
export interface KeyLimits {
  /** Requests per minute. */
  rpm?: number;
  /** Tokens per minute, input and output. */
  tpm?: number;
  /** Requests in flight. */
  concurrent?: number;
  /** Maximum spending in USD, by periods that begin at midnight UTC. */
  budget?: Budgets;
}

/** Maximum spending in USD. */
export interface Budgets {
  /** Each day, from midnight UTC. */
  day?: number;
  /** Each month, from midnight UTC of the first day. */
  month?: number;
  /** Altogether. */
  total?: number;
}

/** A virtual key in its stored form, without its secret. */
export interface VirtualKey extends KeyLimits {
  /** Permanent; names change. */
  id: string;
  /** Unique; for people, logs and metrics. */
  name: string;
  /** The first characters of the secret, for recognition. */
  prefix: string;
  /** The team whose limits also apply. */
  team?: string;
  /** Routes that the key may use, `*` at the end matches any ending; absent for all. */
  models?: string[];
  /** When it was created, in milliseconds since 1970. */
  createdAt: number;
  /** When it stops working, in milliseconds since 1970; absent for never. */
  expiresAt?: number;
  /** When it was disabled; absent if it was not. */
  disabledAt?: number;
}
