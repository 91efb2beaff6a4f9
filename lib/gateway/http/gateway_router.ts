/**
 * Takes every request to the gateway: finds its route, checks who asks, reads the body, and hands it over.
 *
 * Everything passes through one function, and what no route covers is refused.
 *
 * @module
 */
import type { Context } from "hono";
import { AbortedError, FlexLLMError } from "../../errors.ts";
import type { ProtocolServer } from "../../protocols/serve.ts";
import { loopbackCheck } from "../../transport/loopback.ts";
import type { Access, Caller } from "../access.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import { GatewayError } from "../gateway_error.ts";
import { refuseAdmin } from "./admin_access.ts";
import { Arrival } from "./arrival.ts";
import { countTokens } from "./count_tokens.ts";
import { corsHeaders, isPreflight, preflightResponse, withHeaders } from "./cors.ts";
import { clientSecret } from "./credentials.ts";
import { embed } from "./embeddings.ts";
import { CLIENT_CLOSED, errorResponse } from "./error_response.ts";
import { type ClientFormat, formatOf, loadFormats } from "./formats.ts";
import type { GatewayHost } from "./gateway_host.ts";
import { healthResponse } from "./health.ts";
import { openCall } from "./open_call.ts";
import { modelResponse, modelsResponse } from "./models.ts";
import { type RouteMatch, RouteTable } from "./route_table.ts";

/** The caller of a gateway without keys. */
const ANYONE: Caller = { id: "", name: "", mayUse: () => true, isMetered: false };

/** The default of {@link GatewayOptions.maxBodyBytes}. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The name of a request that is no call, for the facts. */
type Operation = "models" | "embeddings" | "count_tokens" | "chat" | "health" | "admin" | "unknown";

/** Answers the requests to one gateway. */
export class GatewayRouter {
  readonly #host: GatewayHost;
  readonly #isLocalHost = loopbackCheck();
  #formats: readonly ClientFormat[] | undefined;
  #table: RouteTable | undefined;
  #loading: Promise<void> | undefined;

  constructor(host: GatewayHost) {
    this.#host = host;
  }

  /** Loads the formats, so that the first request does not have to wait for them. */
  load(): Promise<void> {
    return this.#loading ??= loadFormats().then((formats) => {
      this.#table = new RouteTable(formats);
      this.#formats = formats;
    });
  }

  /** Answers a request. */
  async handle(context: Context): Promise<Response> {
    const arrival = new Arrival(context.req.raw, context.env);
    if (this.#formats === undefined) await this.load();
    const cors = corsHeaders(arrival.request, this.#host.options.corsOrigins);
    const response = await this.#handle(arrival, context, cors);
    return cors === undefined ? response : withHeaders(response, cors);
  }
}
