/** Puts exceptions on top of generated endpoints: an override sees what was generated and may call it. */
import type { AdminHandler, AdminMethod, Endpoint } from './admin-exchange.ts';

export interface EndpointOverride {
  readonly template: string;
  readonly method: AdminMethod;
  /** Makes the handler that answers instead of the generated one. */
  readonly wrap: (generated: AdminHandler) => AdminHandler;
}

/** Throws when an override names a template or method that was not generated: it would be dead code. */
export function layerEndpoints(
  generated: readonly Endpoint[],
  overrides: readonly EndpointOverride[],
): Endpoint[] {
  const byTemplate = new Map(generated.map((endpoint) => [endpoint.template, endpoint]));
  for (const { template, method, wrap } of overrides) {
    const endpoint = byTemplate.get(template);
    const handler = endpoint?.methods[method];
    if (endpoint === undefined || handler === undefined) {
      throw new Error(`nothing generated for ${method} ${template}`);
    }
    byTemplate.set(template, { ...endpoint, methods: { ...endpoint.methods, [method]: wrap(handler) } });
  }
  return [...byTemplate.values()];
}
