/** key-auth: the client proves who it is with a key. Contract/plugins.md section 1. */
import {
  type AccessKong,
  type Consumer,
  type Credential,
  definePlugin,
  type InferConfig,
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
    if (credential !== undefined && consumer !== undefined) return identify(kong, consumer, credential);
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

async function actAsAnonymous(kong: AccessKong, anonymous: string): Promise<Outcome> {
  const consumer = await kong.client.loadConsumer(anonymous, true);
  if (consumer === undefined) throw new Error(`anonymous consumer '${anonymous}' does not exist`);
  identify(kong, consumer, null);
}

/** Headers of an identity are set or removed, never left as the client sent them. */
function identify(kong: AccessKong, consumer: Consumer, credential: Credential | null): void {
  kong.client.authenticate(consumer, credential);
  setOrClear(kong, 'X-Consumer-ID', consumer.id);
  setOrClear(kong, 'X-Consumer-Custom-ID', consumer.custom_id);
  setOrClear(kong, 'X-Consumer-Username', consumer.username);
  setOrClear(kong, 'X-Credential-Identifier', credential?.id);
  setOrClear(kong, 'X-Anonymous-Consumer', credential === null ? 'true' : undefined);
}

function setOrClear(kong: AccessKong, name: string, value: string | null | undefined): void {
  if (value === null || value === undefined) kong.service.request.clearHeader(name);
  else kong.service.request.setHeader(name, value);
}

function refuse(kong: AccessKong, config: Config, message: string): Outcome {
  const challenge = config.realm === null ? 'Key' : `Key realm="${config.realm}"`;
  return kong.response.error(401, message, { 'WWW-Authenticate': challenge });
}
