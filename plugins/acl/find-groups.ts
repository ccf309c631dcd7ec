/** Which groups count: those of the consumer, or those that another plugin has found for the request. */
import type { AccessKong, InferConfig } from '@tollgate/sdk';
import type { schema } from './schema.ts';

export interface Groups {
  /** Header that tells the service of them. */
  readonly header: 'X-Consumer-Groups' | 'X-Authenticated-Groups';
  readonly names: readonly string[];
}

interface GroupRow {
  readonly id: string;
  readonly group: string;
}

/** Undefined when nobody is known who could be in a group. */
export async function findGroups(
  kong: AccessKong,
  config: InferConfig<typeof schema>,
): Promise<Groups | undefined> {
  const consumer = kong.client.getConsumer();
  const isAnonymous = kong.client.getCredential() === undefined;
  if (consumer === undefined || isAnonymous || config.always_use_authenticated_groups) {
    const names = authenticatedGroups(kong);
    if (names !== undefined) return { header: 'X-Authenticated-Groups', names };
  }
  if (consumer === undefined) return undefined;
  const rows = await kong.entities.list<GroupRow>('acls', 'consumer', consumer.id);
  return { header: 'X-Consumer-Groups', names: rows.map(({ group }) => group).toSorted() };
}

/** Other plugins may have put anything there: what is no list of names counts as none at all. */
function authenticatedGroups(kong: AccessKong): readonly string[] | undefined {
  const groups = kong.ctx.shared['authenticated_groups'];
  return Array.isArray(groups) && groups.every((name) => typeof name === 'string')
    ? (groups as readonly string[])
    : undefined;
}
