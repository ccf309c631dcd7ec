/** acl: lets in, or keeps out, by group. Contract/plugins.md section 5. */
import { type AccessKong, definePlugin, type InferConfig, type Outcome } from '@tollgate/sdk';
import { findGroups, type Groups } from './find-groups.ts';
import { schema } from './schema.ts';

type Config = InferConfig<typeof schema>;

const HEADERS = ['X-Consumer-Groups', 'X-Authenticated-Groups'] as const;

export default definePlugin({
  name: 'acl',
  version: '0.1.0',
  priority: 950,
  scopes: ['global', 'service', 'route'],
  capabilities: { entities: ['acls'] },
  schema,

  async access(kong, config) {
    // The service believes these headers: what the client says of its groups must not arrive there.
    for (const header of HEADERS) kong.service.request.clearHeader(header);
    const groups = await findGroups(kong, config);
    if (groups === undefined) return refuse(kong);
    if (!mayPass(groups, config)) return groups.names.length === 0 ? refuse(kong) : forbid(kong);
    if (config.hide_groups_header || groups.names.length === 0) return;
    kong.service.request.setHeader(groups.header, groups.names.join(', '));
  },
});

function mayPass({ names }: Groups, { allow, deny }: Config): boolean {
  const isAmong = (list: readonly string[]) => names.some((name) => list.includes(name));
  return deny !== null && deny.length > 0 ? !isAmong(deny) : isAmong(allow ?? []);
}

/** Somebody who has proven who they are is told that it does not help; anybody else might still do so. */
function refuse(kong: AccessKong): Outcome {
  return kong.client.getCredential() === undefined ? kong.response.error(401) : forbid(kong);
}

function forbid(kong: AccessKong): Outcome {
  return kong.response.error(403, 'You cannot consume this service');
}
