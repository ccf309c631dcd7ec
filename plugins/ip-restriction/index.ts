/** ip-restriction: who may come in, by address. Contract/plugins.md section 11. */
import { compileIpSet, definePlugin, type InferConfig, type IpSet } from '@tollgate/sdk';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

interface Rules {
  readonly denied: IpSet;
  /** Undefined: whoever is not denied may come in. */
  readonly allowed: IpSet | undefined;
}

export default definePlugin({
  name: 'ip-restriction',
  version: '0.1.0',
  priority: 990,
  protocols: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'tls_passthrough'],
  defaultProtocols: ['http', 'https', 'tcp', 'tls', 'grpc', 'grpcs'],
  schema,

  access(kong, config) {
    const address = kong.client.getForwardedIp();
    const { denied, allowed } = rulesOf(config);
    if (!denied.has(address) && (allowed === undefined || allowed.has(address))) return;
    return kong.response.error(config.status ?? 403, config.message ?? `IP address not allowed: ${address}`);
  },
});

/** A configuration is one frozen object for as long as it is valid. */
const knownRules = new WeakMap<object, Rules>();

function rulesOf(config: Config): Rules {
  let rules = knownRules.get(config);
  if (rules === undefined) {
    const { allow, deny } = config;
    const isOpen = allow === null || allow.length === 0;
    rules = { denied: compileIpSet(deny ?? []), allowed: isOpen ? undefined : compileIpSet(allow) };
    knownRules.set(config, rules);
  }
  return rules;
}
