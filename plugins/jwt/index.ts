/** jwt: the client proves who it is with a token that it has signed. Contract/plugins.md section 7. */
import {
  type AccessKong,
  actAsAnonymous,
  definePlugin,
  type InferConfig,
  identifyClient,
  type Outcome,
} from '@tollgate/sdk';
import { type Authentication, authenticate } from './authenticate.ts';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

export default definePlugin({
  name: 'jwt',
  version: '0.1.0',
  priority: 1450,
  scopes: ['global', 'service', 'route'],
  capabilities: { entities: ['jwt_secrets'], crypto: true },
  schema,

  async access(kong, config) {
    if (!config.run_on_preflight && kong.request.getMethod() === 'OPTIONS') return;
    // Several authentication plugins with `anonymous` are alternatives: one success is enough.
    if (config.anonymous !== null && kong.client.getCredential() !== undefined) return;
    const found = await authenticate(kong, config);
    if (found.kind === 'known') {
      const { consumer, credential, token } = found;
      kong.ctx.shared['authenticated_jwt_token'] = token;
      // Other plugins are told who it is, and may log it: the secret is not for them.
      const { id, key, consumer: owner } = credential;
      const shown = { id, key, consumer: owner };
      return identifyClient(kong, consumer, shown, key);
    }
    if (config.anonymous !== null) return actAsAnonymous(kong, config.anonymous);
    return refuse(kong, config, found);
  },
});

function refuse(
  kong: AccessKong,
  { realm }: Config,
  found: Exclude<Authentication, { kind: 'known' }>,
): Outcome {
  const scheme = realm === null ? 'Bearer' : `Bearer realm="${realm}"`;
  if (found.kind === 'missing') {
    return kong.response.exit(401, { message: 'Unauthorized' }, { 'WWW-Authenticate': scheme });
  }
  return kong.response.exit(401, found.body, { 'WWW-Authenticate': `${scheme} error="invalid_token"` });
}
