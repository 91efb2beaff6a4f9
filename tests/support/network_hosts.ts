/**
 * Hosts with a network of their own on this machine: network namespaces on a bridge, whose cables can be pulled.
 * Needs Linux and root.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

function ip(...args: string[]): boolean {
  return spawnSync("ip", args, { stdio: "ignore" }).status === 0;
}

/** One host. */
export interface NetworkHost {
  /** The command that runs `command` on the host. */
  wrap(command: readonly string[]): string[];
  /** Pulls the cable: packets are lost without an error. */
  disconnect(): void;
  connect(): void;
}

/** Several hosts, and an address of this process that they can reach. */
export class NetworkHosts implements Disposable {
  readonly #name = `fl${process.pid % 100_000}`;
  /** Differs between test processes that run at once. */
  readonly #subnet = `10.${100 + process.pid % 100}.${Math.floor(process.pid / 100) % 250}`;
  readonly hosts: readonly NetworkHost[];

  private constructor(count: number) {
    this.hosts = Array.from({ length: count }, (_, i) => {
      const link = `${this.#name}v${i}`;
      return {
        wrap: (command) => ["ip", "netns", "exec", this.#namespace(i), ...command],
        disconnect: () => void ip("link", "set", link, "down"),
        connect: () => void ip("link", "set", link, "up"),
      };
    });
  }

  /** Creates hosts; `undefined` where that is not possible. */
  static create(count: number): NetworkHosts | undefined {
    const network = new NetworkHosts(count);
    if (network.#create()) return network;
    network[Symbol.dispose]();
    return undefined;
  }

  /** The address of this process. */
  get gateway(): string {
    return `${this.#subnet}.1`;
  }

  #namespace(host: number): string {
    return `${this.#name}n${host}`;
  }

  #create(): boolean {
    const bridge = `${this.#name}br`;
    return ip("link", "add", bridge, "type", "bridge") &&
      ip("addr", "add", `${this.gateway}/24`, "dev", bridge) &&
      ip("link", "set", bridge, "up") &&
      this.hosts.every((_, i) => {
        const [namespace, link] = [this.#namespace(i), `${this.#name}v${i}`];
        const inside = (...args: string[]) => ip("-n", namespace, ...args);
        return ip("netns", "add", namespace) &&
          ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace) &&
          ip("link", "set", link, "master", bridge, "up") &&
          inside("addr", "add", `${this.#subnet}.${i + 2}/24`, "dev", "eth0") &&
          inside("link", "set", "eth0", "up") &&
          inside("link", "set", "lo", "up");
      });
  }

  [Symbol.dispose](): void {
    for (const i of this.hosts.keys()) {
      ip("link", "del", `${this.#name}v${i}`);
      ip("netns", "del", this.#namespace(i));
    }
    ip("link", "del", `${this.#name}br`);
  }
}
