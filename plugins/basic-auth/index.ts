/** basic-auth: the client proves who it is with a username and a password. Contract/plugins.md section 6. */
import {
  type AccessKong,
  actAsAnonymous,
  type Credential,
  definePlugin,
  type InferConfig,
  identifyClient,
} from '@tollgate/sdk';
import { type GivenCredentials, readCredentials } from './read-credentials.ts';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

interface PasswordCredential extends Credential {
  readonly consumer: { readonly id: string };
  readonly username: string;
  /** Hexadecimal SHA-1 of the password and the consumer's id. */
  readonly password: string;
}

interface Attempt {
  readonly given: GivenCredentials;
  readonly credential: PasswordCredential;
}

export default definePlugin({
  name: 'basic-auth',
  version: '0.1.0',
  priority: 1100,
  scopes: ['global', 'service', 'route'],
  capabilities: { entities: ['basicauth_credentials'], crypto: true },
  schema,

  async access(kong, config) {
    // Several authentication plugins with `anonymous` are alternatives: one success is enough.
    if (config.anonymous !== null && kong.client.getCredential() !== undefined) return;
    // What was meant for a proxy is for the gateway; a username nobody has there may be the service's own.
    const attempt =
      (await findAttempt(kong, config, 'Proxy-Authorization')) ??
      (await findAttempt(kong, config, 'Authorization'));
    if (attempt !== undefined && (await isRightPassword(kong, attempt))) {
      const { id, username, consumer: owner } = attempt.credential;
      // Other plugins are told who it is, and may log it: the hash is not for them.
      const shown = { id, username, consumer: owner };
      const consumer = await kong.client.loadConsumer(owner.id);
      if (consumer !== undefined) return identifyClient(kong, consumer, shown, username);
    }
    if (config.anonymous !== null) return actAsAnonymous(kong, config.anonymous);
    const challenge = `Basic realm="${config.realm}"`;
    return kong.response.error(401, 'Unauthorized', { 'WWW-Authenticate': challenge });
  },
});

/** The credential that a header names, if there is one. Hides the header once it has been looked at. */
async function findAttempt(kong: AccessKong, config: Config, header: string): Promise<Attempt | undefined> {
  const value = kong.request.getHeader(header);
  if (value === undefined) return undefined;
  if (config.hide_credentials) kong.service.request.clearHeader(header);
  const given = readCredentials(value);
  if (given === undefined) return undefined;
  const credential = await kong.entities.find<PasswordCredential>(
    'basicauth_credentials',
    'username',
    given.username,
  );
  return credential && { given, credential };
}

async function isRightPassword(kong: AccessKong, { given, credential }: Attempt): Promise<boolean> {
  const digest = await kong.crypto.digest('sha1', given.password + credential.consumer.id);
  return kong.crypto.isEqual(digest, credential.password);
}
