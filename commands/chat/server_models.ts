/**
 * Lists the models of the server in use, for completion and to notice misspelled names.
 *
 * @module
 */
import type { LLMClient } from "../../lib/client/client.ts";

/** Milliseconds that a user may have to wait for the list. It is kept for the next time. */
const MAX_WAIT = 1500;

/** Seconds after which the server is given up. */
const TIMEOUT = 15;

const lists = new WeakMap<LLMClient, Promise<string[]>>();

/** Requests the list, once per client. A server that cannot list its models has an empty one. */
function listOf(client: LLMClient): Promise<string[]> {
  let list = lists.get(client);
  if (list === undefined) {
    list = client.models({ timeout: TIMEOUT }).then(
      (models) => models.map(({ id }) => id).sort(),
      () => [],
    );
    lists.set(client, list);
  }
  return list;
}

/** The ids of the server's models; none if it does not answer quickly. */
export async function serverModels(client: LLMClient): Promise<string[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve([]), MAX_WAIT);
  });
  try {
    return await Promise.race([listOf(client), late]);
  } finally {
    clearTimeout(timer);
  }
}
