/** `kong.router` and `kong.plugin`: what the request matched, and which instance is running. */
import type { PluginReader } from '../phases.ts';
import type { MatchedRoute, MatchedService, RouterReader } from '../router.ts';
import type { CallState } from './call-state.ts';

export class RouterView implements RouterReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  getRoute(): MatchedRoute | undefined {
    return (this.#call.plan.route ?? undefined) as MatchedRoute | undefined;
  }

  getService(): MatchedService | undefined {
    return (this.#call.plan.service ?? undefined) as MatchedService | undefined;
  }
}

export class PluginView implements PluginReader {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  getId(): string {
    return this.#call.instance?.id ?? '';
  }

  getRouteId(): string | null {
    return this.#call.instance?.routeId ?? null;
  }

  getServiceId(): string | null {
    return this.#call.instance?.serviceId ?? null;
  }
}
