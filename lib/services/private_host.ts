/**
 * Recognizes host names and addresses of private networks.
 *
 * Sources: RFC 1918, RFC 4193, RFC 6598 (also Tailscale's addresses), RFC 6761, RFC 6762, RFC 8375.
 *
 * @module
 */

const PRIVATE_ADDRESS =
  /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
const PRIVATE_ADDRESS_V6 = /^\[(::1?\]|f[cd]|fe[89ab])/;
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/;

/** Whether `hostname`, in the form that `URL` has it, is this machine or in a private network. */
export function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith("[")) return PRIVATE_ADDRESS_V6.test(hostname);
  if (/^\d+(\.\d+){3}$/.test(hostname)) return PRIVATE_ADDRESS.test(hostname);
  return !hostname.includes(".") || PRIVATE_NAME.test(hostname);
}

/** Whether `hostname`, in the form that `URL` has it, is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(hostname);
}
