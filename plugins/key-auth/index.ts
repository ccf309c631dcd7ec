/** key-auth: the client proves who it is with a key. Contract/plugins.md section 1. */
import {
  type AccessKong,
  actAsAnonymous,
  type Credential,
  definePlugin,
  type InferConfig,
  identifyClient,
  type Outcome,
} from '@tollgate/sdk';
import { findKey, type KeySearch } from './find-key.ts';
import { hideCredentials } from './hide-credentials.ts';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

interface KeyCredential extends Credential {
  readonly consumer: { readonly id: string };
}

export default definePlugin({
  name: 'key-auth',
  version: '0.1.0',
  priority: 1250,
  scopes: ['global', 'service', 'route'],
  capabilities: { entities: ['keyauth_credentials'], requestBody: true },
  schema,

  async access(kong, config) {
    if (!config.run_on_preflight && kong.request.getMethod() === 'OPTIONS') return;
    // Several authentication plugins with `anonymous` are alternatives: one success is enough.
    if (config.anonymous !== null && kong.client.getCredential() !== undefined) return;
    const body = config.key_in_body ? await kong.request.getBody() : undefined;
    const search = findKey(kong, config, body);
    // Hidden before the lookup: a key nobody owns must not reach the upstream of an anonymous request either.
    if (search.kind === 'found' && config.hide_credentials) hideCredentials(kong, search.name, body);
    const credential = await findCredential(kong, search);
    const consumer = credential && (await kong.client.loadConsumer(credential.consumer.id));
    if (credential !== undefined && consumer !== undefined) {
      return identifyClient(kong, consumer, credential, credential.id);
    }
    if (config.anonymous !== null) return actAsAnonymous(kong, config.anonymous);
    return refuse(kong, config, reasonOf(search));
  },
});

function findCredential(kong: AccessKong, search: KeySearch) {
  if (search.kind !== 'found' || search.key === '') return undefined;
  return kong.entities.find<KeyCredential>('keyauth_credentials', 'key', search.key);
}

function reasonOf(search: KeySearch): string {
  if (search.kind === 'repeated') return 'Duplicate API key found';
  return search.kind === 'missing' || search.key === '' ? 'No API key found in request' : 'Unauthorized';
}

function refuse(kong: AccessKong, config: Config, message: string): Outcome {
  const challenge = config.realm === null ? 'Key' : `Key realm="${config.realm}"`;
  return kong.response.error(401, message, { 'WWW-Authenticate': challenge });
}
