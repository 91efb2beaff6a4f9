/**
 * Reports the facts about an attempt of a call to the gateway.
 *
 * @module
 */
import type { AttemptFacts } from "../chat/call_facts.ts";
import { shownHeaders } from "../client/shown_headers.ts";
import type { CallRecord } from "./call_record.ts";
import { failureFacts } from "../client/failure_facts.ts";

/** Runs `attempt` of the call `id`, and calls `onAttempt` when it has ended. */
export async function observeAttempt<R>(
  attempt: () => Promise<R>,
  id: string,
  record: Pick<CallRecord, "attempts" | "endpoint" | "model" | "response">,
  onAttempt: (facts: AttemptFacts) => void,
): Promise<R> {
  const at = Date.now();
  const startedAt = performance.now();
  const before = record.attempts;
  const report = (ending: Pick<AttemptFacts, "outcome" | "errorCode" | "error">) => {
    const { attempts, endpoint, model = "", response } = record;
    // Nothing was sent, for example because the budget of the key is used up.
    if (attempts === before || endpoint === undefined) return;
    const duration = (performance.now() - startedAt) / 1000;
    const name = endpoint.routeName ?? endpoint.name;
    const head = response && { status: response.status, headers: shownHeaders(response.headers) };
    onAttempt({ id, at, attempt: attempts, model, endpoint: name, duration, ...head, ...ending });
  };
  try {
    const result = await attempt();
    report({ outcome: "success" });
    return result;
  } catch (error) {
    report(failureFacts(error, record.endpoint?.secrets));
    throw error;
  }
}
