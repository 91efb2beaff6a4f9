/**
 * Formats amounts of money for people.
 *
 * @module
 */

/**
 * Formats USD: cents, and below a dollar as many further decimals as it takes to show `digits` significant digits,
 * such as `$1,250.00`, `$0.50` and `$0.00123`. Never in scientific notation.
 *
 * @param digits with more of them, amounts of a dollar and more have further decimals as well
 */
export function formatDollars(amount: number, digits = 3): string {
  if (amount === 0) return "$0.00";
  const decimals = Math.max(2, digits - 1 - Math.floor(Math.log10(Math.abs(amount))));
  const [whole, rest] = amount.toFixed(Math.min(decimals, 20)).split(".");
  const shown = rest.slice(0, 2) + rest.slice(2).replace(/0+$/, "");
  return `$${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${shown}`;
}
