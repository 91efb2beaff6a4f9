/**
 * Removes keys from what the mock logs and records.
 *
 * @module
 */

/** Query fields that hold a key. Page tokens are not secret, and a replay must tell pages apart. */
const SECRET_FIELD = /auth|key|token|secret|password|credential|cookie|^sig(nature)?$/i;
const PAGE_TOKEN = /page_?token$/i;

/** Whether a query field of this name may hold a key. */
export function isSecretField(name: string): boolean {
  return SECRET_FIELD.test(name) && !PAGE_TOKEN.test(name);
}

/** The path and query of a URL, with the values of keys replaced. */
export function shownPath({ pathname, search, searchParams }: URL): string {
  const names = new Set([...searchParams.keys()].filter(isSecretField));
  if (names.size === 0) return `${pathname}${search}`;
  const shown = new URLSearchParams(searchParams);
  for (const name of names) shown.set(name, "removed");
  return `${pathname}?${shown}`;
}
