/** cors: tells browsers which other sites may call. Contract/plugins.md section 10. */
import {
  type AccessKong,
  definePlugin,
  type InferConfig,
  type RequestReader,
  type ResponseHeaderWriter,
} from '@tollgate/sdk';
import { compileOrigins, type OriginPolicy } from './allowed-origin.ts';
import { METHODS, schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

export default definePlugin({
  name: 'cors',
  version: '0.1.0',
  priority: 2000,
  scopes: ['global', 'service', 'route'],
  schema,

  access(kong, config) {
    if (!isPreflight(kong.request) || config.preflight_continue) return;
    const { request, response } = kong;
    allowOrigin(request, response, config, (name, value) => response.setHeader(name, value));
    allowHeaders(kong, config);
    response.setHeader('Access-Control-Allow-Methods', (config.methods ?? METHODS).join(','));
    if (config.max_age !== null) response.setHeader('Access-Control-Max-Age', config.max_age);
    if (config.private_network && request.getHeader('Access-Control-Request-Private-Network') === 'true') {
      response.setHeader('Access-Control-Allow-Private-Network', 'true');
    }
    return response.exit(200);
  },

  response(kong, config) {
    const { request, response } = kong;
    // Answered in access, or left to the service, which then says all of it. Without a route there was no access.
    if (isPreflight(request) && kong.router.getRoute() !== undefined) return;
    allowOrigin(request, response, config, (name, value) => response.addHeader(name, value));
    if (config.exposed_headers !== null && config.exposed_headers.length > 0) {
      response.setHeader('Access-Control-Expose-Headers', config.exposed_headers.join(','));
    }
  },
});

function isPreflight(request: RequestReader): boolean {
  return (
    request.getMethod() === 'OPTIONS' &&
    request.getHeader('Origin') !== undefined &&
    request.getHeader('Access-Control-Request-Method') !== undefined
  );
}

function allowOrigin(
  request: RequestReader,
  response: ResponseHeaderWriter,
  config: Config,
  writeVary: (name: string, value: string) => void,
): void {
  const origin = request.getHeader('Origin');
  const { value, varies } = policyOf(config)(origin);
  // Browsers refuse credentials together with `*`: then the origin itself is named.
  const isNamed = config.credentials && value === '*' && origin !== undefined;
  if (varies || isNamed) writeVary('Vary', 'Origin');
  if (value === undefined) response.clearHeader('Access-Control-Allow-Origin');
  else response.setHeader('Access-Control-Allow-Origin', isNamed ? origin : value);
  if (config.credentials && (value !== '*' || isNamed)) {
    response.setHeader('Access-Control-Allow-Credentials', 'true');
  }
}

function allowHeaders({ request, response }: AccessKong, config: Config): void {
  const allowed =
    config.headers !== null && config.headers.length > 0
      ? config.headers.join(',')
      : request.getHeader('Access-Control-Request-Headers');
  if (allowed !== undefined) response.setHeader('Access-Control-Allow-Headers', allowed);
}

/** A configuration is one frozen object for as long as it is valid. */
const knownPolicies = new WeakMap<object, OriginPolicy>();

function policyOf(config: Config): OriginPolicy {
  let policy = knownPolicies.get(config);
  if (policy === undefined) {
    policy = compileOrigins(config.origins ?? []);
    knownPolicies.set(config, policy);
  }
  return policy;
}
