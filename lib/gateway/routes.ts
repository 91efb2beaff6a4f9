/**
 * Resolves the model names that clients use to the endpoints that answer them.
 *
 * @module
 */
import type { CallPipeline } from "../client/call_pipeline.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import { ConfigurationError } from "../errors.ts";
import type { LoadBalance } from "../scheduling/load_balancer.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { similarName } from "../similar_name.ts";
import type { GatewayOptions, GatewayRoute } from "./gateway_options.ts";
import type { NamedRoute, RouteTarget } from "./http/gateway_host.ts";
import { preferredBy } from "./rendezvous.ts";
import { StoredResponses } from "./stored_responses.ts";

/** One model name, and where its calls go. */
export class Route implements NamedRoute {
  readonly targets: readonly RouteTarget[];
  /** The servers and models behind the name, for cache keys. */
  readonly identity: string;
  readonly scheduler: Scheduler<EndpointClient>;
  /** Whether its calls are spread over several endpoints, so that a conversation has to be kept at one. */
  readonly isSticky: boolean;
  /** How its calls are distributed. */
  readonly loadBalance: LoadBalance;
  /** The responses that its endpoints have stored. */
  readonly storedResponses: StoredResponses = new StoredResponses();

  constructor(
    readonly name: string,
    readonly endpoints: readonly EndpointClient[],
    pipeline: CallPipeline,
    options: { loadBalance?: LoadBalance; isSticky: boolean; isSpread: boolean },
  ) {
    this.targets = endpoints.map((endpoint) => ({ endpoint, model: endpoint.model ?? name }));
    this.loadBalance = options.loadBalance ?? pipeline.options.loadBalance;
    this.identity = JSON.stringify(
      this.targets.map(({ endpoint, model }) => [endpoint.baseUrl, model]),
    );
    this.scheduler = pipeline.schedulerOf(endpoints, this.loadBalance);
    this.isSticky = options.isSticky && options.isSpread && endpoints.length > 1;
  }

  /** The endpoint that a conversation stays at while it is available. */
  preferred(session: string): EndpointClient {
    return preferredBy(session, this.endpoints, ({ routeName, name }) => `${routeName}\n${name}`);
  }
}

/** Adds the defaults to a configured route. */
function fullRoute(route: GatewayRoute | readonly string[]): GatewayRoute {
  return "targets" in route ? route : { targets: route };
}

/** The routes of a gateway. */
export class Routes {
  readonly #routes = new Map<string, Route>();
  readonly #pipeline: CallPipeline;
  readonly #byName: ReadonlyMap<string, readonly EndpointClient[]>;
  /** Endpoints for other models, by target: routes that name the same target share one. */
  readonly #derived = new Map<string, readonly EndpointClient[]>();

  /** @throws {ConfigurationError} if a route names an endpoint that does not exist */
  constructor(pipeline: CallPipeline, routes: GatewayOptions["routes"] = {}) {
    this.#pipeline = pipeline;
    this.#byName = byName(pipeline.endpoints);
    for (const [name, endpoints] of this.#byName) {
      const isSpread = pipeline.options.loadBalance !== "fallback";
      this.#routes.set(name, new Route(name, endpoints, pipeline, { isSticky: true, isSpread }));
    }
    for (const [name, route] of Object.entries(routes)) this.#add(name, fullRoute(route));
  }

  /** The route of a model name. */
  get(model: string): Route | undefined {
    return this.#routes.get(model);
  }

  /** All routes: endpoints in their order, then the other names. */
  all(): Iterable<Route> {
    return this.#routes.values();
  }

  /** The known name that a misspelled one was probably meant to be. */
  similar(model: string): string | undefined {
    return similarName(model, [...this.#routes.keys()]);
  }

  #add(name: string, { targets, loadBalance = "fallback", sticky = true }: GatewayRoute): void {
    if (targets.length === 0) {
      throw new ConfigurationError(`the route "${name}" has no endpoint`, {
        hint: "Name at least one endpoint, or remove the route.",
      });
    }
    const endpoints = [...new Set(targets.flatMap((target) => this.#endpointsOf(target, name)))];
    const options = { loadBalance, isSticky: sticky, isSpread: loadBalance !== "fallback" };
    this.#routes.set(name, new Route(name, endpoints, this.#pipeline, options));
  }

  #endpointsOf(target: string, route: string): readonly EndpointClient[] {
    const known = this.#byName.get(target) ?? this.#derived.get(target);
    if (known !== undefined) return known;
    const at = target.lastIndexOf("@");
    const servers = at > 0 ? this.#byName.get(target.slice(at + 1)) : undefined;
    if (servers === undefined) throw this.#unknownTarget(target, at, route);
    const model = target.slice(0, at);
    const derived = servers.map((endpoint) => endpoint.withModel(model));
    this.#derived.set(target, derived);
    return derived;
  }

  #unknownTarget(target: string, at: number, route: string): ConfigurationError {
    const names = [...this.#byName.keys()];
    const name = at > 0 ? target.slice(at + 1) : target;
    const similar = similarName(name, names);
    return new ConfigurationError(
      `the route "${route}" names the endpoint "${name}", which does not exist`,
      {
        hint: similar === undefined
          ? `Use one of: ${names.join(", ")}; or model@name for another model at one of them.`
          : `Did you mean "${at > 0 ? `${target.slice(0, at)}@` : ""}${similar}"?`,
      },
    );
  }
}

/** The endpoints by their names. Several of one name share its calls. */
function byName(
  endpoints: readonly EndpointClient[],
): ReadonlyMap<string, readonly EndpointClient[]> {
  const named = new Map<string, EndpointClient[]>();
  for (const endpoint of endpoints) {
    const { routeName } = endpoint;
    if (routeName === undefined) continue;
    const others = named.get(routeName);
    if (others === undefined) named.set(routeName, [endpoint]);
    else others.push(endpoint);
  }
  return named;
}
