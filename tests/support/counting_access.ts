/** Access for everyone that counts what is reserved and what is charged. */
import { AbortedError } from "../../lib/errors.ts";
import type { Access, AccessDemand, Admission, Caller } from "../../lib/gateway/access.ts";
import { GatewayError } from "../../lib/gateway/gateway_error.ts";
import type { Charge } from "../../lib/scheduling/budget.ts";

export class CountingAccess implements Access {
  /** Admissions that are not released. */
  open = 0;
  readonly demands: AccessDemand[] = [];
  readonly charges: (Charge & { key: string })[] = [];
  readonly isMetered: boolean;
  /** Milliseconds that an admission takes. */
  delay: () => number = () => 0;
  /** Keys that are refused for want of money. */
  readonly broke = new Set<string>();

  constructor(isMetered = true) {
    this.isMetered = isMetered;
  }

  authenticate(secret: string | undefined): Caller {
    const id = secret ?? "";
    return { id, name: id, mayUse: (route) => route !== "forbidden", isMetered: this.isMetered };
  }

  async admit(caller: Caller, demand: AccessDemand, signal: AbortSignal): Promise<Admission> {
    this.demands.push(demand);
    const delay = this.delay();
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (signal.aborted) throw new AbortedError();
    if (this.broke.has(caller.id)) {
      throw new GatewayError(402, "the budget is used up", { reason: "budget_exceeded" });
    }
    this.open++;
    let isOpen = true;
    const release = () => {
      if (isOpen) this.open--;
      isOpen = false;
    };
    return {
      limits: {},
      spent: 0,
      commit: (charge) => this.charges.push({ ...charge, key: caller.id }),
      renew: () => Promise.resolve(),
      release,
      [Symbol.dispose]: release,
    };
  }

  report(): [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
