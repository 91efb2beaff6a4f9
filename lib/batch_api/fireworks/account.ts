/**
 * Finds the Fireworks account of a key, whose name is part of most URLs.
 *
 * @module
 */
import { FlexLLMError } from "../../flexllm_error.ts";
import { asObject, asObjects, asText } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchHttp } from "../batch_http.ts";

/**
 * The URL of a resource, such as `accounts/NAME/datasets/ID`. Accounts are next to the inference API
 * (`/inference/v1`), not under it; what a proxy has before that stays where it is.
 */
export function accountUrl({ baseUrl }: Endpoint, name: string): string {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(/\/inference(?=\/v1$)/, "")}/${name}`;
  return url.href;
}

/** The account in the name of a resource: `accounts/NAME`. */
export function accountOf(name: string): string {
  return /^accounts\/[^/]+/.exec(name)?.[0] ?? "";
}

/**
 * Looks up the account of the key. With several ones, the account of the model is used.
 *
 * @throws {FlexLLMError} if the key has no account
 */
export async function findAccount(
  http: BatchHttp,
  endpoint: Endpoint,
  model: string,
): Promise<string> {
  const { json } = await http.send({ method: "GET", path: accountUrl(endpoint, "accounts") });
  const names = asObjects(asObject(json)?.accounts)
    .map(({ name }) => accountOf(asText(name) ?? ""))
    .filter((name) => name !== "");
  const account = names.find((name) => name === accountOf(model)) ?? names[0];
  if (account !== undefined) return account;
  throw new FlexLLMError("configuration", "this Fireworks API key has no account", {
    hint: "Create a key for an account at app.fireworks.ai.",
  });
}
