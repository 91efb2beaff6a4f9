/**
 * Recognizes addresses of this machine and its local network.
 *
 * URLs in other people's data must not reach what only this machine can: services on loopback, routers,
 * cloud metadata servers.
 *
 * Source: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890).
 *
 * @module
 */
import { BlockList, isIP } from "node:net";

// 198.18.0.0/15 is left out: proxies such as Clash map all internet names to these addresses.
const SUBNETS: readonly (readonly [prefix: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  // Carrier-grade NAT, and the metadata server of Alibaba Cloud.
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local, and the metadata servers of most clouds.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  // Azure's platform service, which is not routed.
  ["168.63.129.16", 32],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 127],
  ["64:ff9b:1::", 48],
  ["2001::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

function blockList(): BlockList {
  const list = new BlockList();
  for (const [prefix, bits] of SUBNETS) {
    list.addSubnet(prefix, bits, isIP(prefix) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

let list: BlockList | undefined;

/** IPv6 addresses that embed an IPv4 address: mapped, compatible, and NAT64 (RFC 4291, RFC 6052). */
const EMBEDDED = /^(?:::ffff:|::ffff:0:|::|64:ff9b::)(?:([\da-f]{1,4}):([\da-f]{1,4})|([\d.]+))$/i;

function embeddedAddress(address: string): string | undefined {
  const [, high, low, dotted] = EMBEDDED.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined) return undefined;
  const [a, b] = [parseInt(high, 16), parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join(".");
}

/** Whether an IP address belongs to this machine or its network, or to no single host. */
export function isPrivateAddress(address: string): boolean {
  const ip = address.replace(/%.*$/, "");
  list ??= blockList();
  if (isIP(ip) === 4) return list.check(ip, "ipv4");
  const embedded = embeddedAddress(ip);
  if (embedded !== undefined && isIP(embedded) === 4 && list.check(embedded, "ipv4")) return true;
  return list.check(ip, "ipv6");
}

/** Names that never leave the machine or the local network (RFC 6761, RFC 6762, RFC 8375). */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|localdomain|home\.arpa)$/i;

/** Resolves a host name to all its addresses. */
export type Lookup = (hostname: string) => Promise<readonly { address: string }[]>;

/**
 * Whether the host of `url` is this machine or in its local network. `URL` has already normalized numbers
 * such as `0x7f.1`.
 */
export async function isPrivateUrl(url: URL, lookup: Lookup): Promise<boolean> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isIP(hostname) !== 0) return isPrivateAddress(hostname);
  // Names without a dot are local.
  if (PRIVATE_NAMES.test(hostname) || !hostname.includes(".")) return true;
  return (await lookup(hostname)).some(({ address }) => isPrivateAddress(address));
}
