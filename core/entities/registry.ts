/** Every entity there is. A new one is a file beside this one, a line here and a migration. */
import { acls } from './acls.ts';
import { basicauthCredentials } from './basicauth-credentials.ts';
import { caCertificates } from './ca-certificates.ts';
import { certificates } from './certificates.ts';
import { consumers } from './consumers.ts';
import type { EntityDefinition } from './define-entity.ts';
import { jwtSecrets } from './jwt-secrets.ts';
import { keyauthCredentials } from './keyauth-credentials.ts';
import type { PluginSchemas } from './plugin-schemas.ts';
import { pluginEntity } from './plugins.ts';
import { routes } from './routes.ts';
import { services } from './services.ts';
import { snis } from './snis.ts';
import { targets } from './targets.ts';
import { upstreams } from './upstreams.ts';

/** In the order in which they can be created: parents before their children. */
export function listEntities(pluginSchemas: PluginSchemas): readonly EntityDefinition[] {
  return [
    caCertificates,
    certificates,
    snis,
    services,
    routes,
    consumers,
    pluginEntity(pluginSchemas),
    keyauthCredentials,
    basicauthCredentials,
    jwtSecrets,
    acls,
    upstreams,
    targets,
  ];
}
