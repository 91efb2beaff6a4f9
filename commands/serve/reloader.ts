/**
 * Reloads the configuration of a running gateway, without touching the calls in flight.
 *
 * @module
 */
import type { KeyAccess } from "../../lib/gateway/access/key_access.ts";
import type { GatewayApp } from "../../lib/gateway/gateway_app.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import { reportError } from "../errors/report.ts";
import { counted } from "../terminal/format.ts";
import { writeNote } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import {
  accessSettings,
  type GatewayObservers,
  gatewayOptions,
  type GatewaySetup,
  openPool,
  readSetup,
} from "./gateway_setup.ts";
import { refuseOwnAddress } from "./listen_address.ts";
import type { ServeFlags } from "./serve_flags.ts";

/** The settings that only a restart changes. */
const FIXED = ["host", "port"] as const;

/** Reloads the configuration. */
export class Reloader {
  readonly #app: Pick<GatewayApp, "reload">;
  readonly #access: Pick<KeyAccess, "configure">;
  readonly #flags: ServeFlags;
  readonly #observers: GatewayObservers;
  readonly #started: GatewaySetup;
  #drain: number | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(
    app: Pick<GatewayApp, "reload">,
    access: KeyAccess,
    setup: GatewaySetup,
    flags: ServeFlags,
    observers: GatewayObservers,
  ) {
    this.#app = app;
    this.#access = access;
    this.#started = setup;
    this.#flags = flags;
    this.#observers = observers;
  }

  /** The drain time of the last reload; `undefined` before the first one. */
  get drain(): number | undefined {
    return this.#drain;
  }

  /** Reloads. A configuration that cannot be used is reported, and the old one stays in use. */
  reload(): Promise<void> {
    return this.#last = this.#last.then(() => this.#reload());
  }

  async #reload(): Promise<void> {
    try {
      await this.#apply(readSetup(this.#flags));
    } catch (error) {
      reportError(error, this.#flags.verbose === true && !(error instanceof FlexLLMError));
      writeNote("The configuration was not reloaded; the old one stays in use.");
    }
  }

  async #apply(setup: GatewaySetup): Promise<void> {
    const { settings } = setup;
    const started = this.#started.settings;
    refuseOwnAddress(started.host, started.port, settings.endpoints);
    const changed = FIXED.filter((name) => settings[name] !== started[name]).map(String);
    if (settings.access.database !== started.access.database) changed.push("database");
    const hasOtherStore = JSON.stringify(settings.redis) !== JSON.stringify(started.redis);
    // The address stays, and with it who may call without a key.
    const effective = { ...settings, host: started.host, port: started.port };
    const pool = await openPool(setup);
    const options = gatewayOptions(effective, this.#access as KeyAccess, this.#observers);
    this.#access.configure(accessSettings(effective));
    try {
      this.#app.reload(pool, options);
    } catch (error) {
      await pool.close();
      throw error;
    }
    this.#drain = settings.drain;
    if (changed.length > 0) {
      writeWarning(`serve.${changed.join(" and serve.")} changed: restart the gateway to apply it`);
    }
    if (hasOtherStore) writeWarning("redis changed: restart the gateway to apply it");
    const routes = settings.endpoints.length + settings.routes.length;
    writeSentences(`Reloaded the configuration: ${counted(routes, "model name")}.`);
  }
}
