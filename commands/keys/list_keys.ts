/**
 * Implements `flexllm keys list`, which lists the stored keys.
 *
 * @module
 */
import process from "node:process";
import { keyedService } from "../../lib/keys/key_names.ts";
import { keychainOf, listKeys, type StoredKey } from "../../lib/keys/key_store.ts";
import { keyReference } from "../../lib/config/references.ts";
import { shownUrl } from "../../lib/redact.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { type Cell, table } from "../terminal/table.ts";

/** The variable that is used instead of a stored key; `undefined` if none is set. */
function overridingVariable(name: string): string | undefined {
  const variable = keyedService(name)?.variable;
  return variable === undefined
    ? undefined
    : ["FLEXLLM_API_KEY", variable].find((each) => process.env[each]);
}

/** What a key is used for. */
function useOf(name: string): string {
  const service = keyedService(name);
  if (service === undefined) return keyReference(name);
  return service.baseUrl === undefined ? name : shownUrl(service.baseUrl);
}

function row({ name, store, shown }: StoredKey): Cell[] {
  const variable = overridingVariable(name);
  return [
    name,
    shown,
    store === "file" ? "key file" : keychainOf(process.env)?.title.replace(/^the /, "") ?? store,
    useOf(name),
    variable === undefined ? "" : { text: variable, style: "yellow" },
  ];
}

/** Prints the stored keys, masked. Does not open the keychain. */
export function listStoredKeys(json: boolean): void {
  const keys = listKeys(process.env);
  if (json) {
    return writeJson(keys.map(({ name, store, shown }) => ({
      name,
      key: shown,
      store,
      overridden_by: overridingVariable(name) ?? null,
    })));
  }
  if (keys.length === 0) {
    return writeSentences("No keys are stored. To store one: flexllm keys set openai");
  }
  const rows = keys.map(row);
  const titles = ["name", "key", "stored in", "used for", "overridden by"];
  const columns = rows.some((cells) => cells.at(-1) !== "") ? titles : titles.slice(0, -1);
  const lines = table(
    columns.map((title) => ({ title })),
    rows.map((cells) => cells.slice(0, columns.length)),
  );
  writeOutput(`${lines.join("\n")}\n`);
}
