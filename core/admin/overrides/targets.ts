/**
 * Where targets differ from other children: newest first with a number for an offset, keys that may lack the default
 * port, and a PUT that changes what is there (contract/admin-api.md section 3.7).
 */
import { isUuid } from '../../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../../entities/define-entity.ts';
import { normaliseTarget } from '../../entities/target-address.ts';
import { EntityError } from '../../store/entity-error.ts';
import type { EntityStore, Page } from '../../store/entity-store.ts';
import { listChildren } from '../../store/list-children.ts';
import { type AdminHandler, type AdminRequest, answerJson, type Endpoint } from '../admin-exchange.ts';
import { notFound } from '../admin-refusal.ts';
import { answerPage, type PagingArguments, readListArguments, readPagingArguments } from '../answer-page.ts';
import { readChildKey, readEntityKey, requireByKey } from '../entity-key.ts';
import type { EntityWrites } from '../entity-writes.ts';
import type { EndpointOverride } from '../layer-endpoints.ts';

export const TARGETS_TEMPLATE = '/upstreams/{upstreams}/targets';

/** Finds what the paths of targets mean. */
export interface TargetFinder {
  /** Throws the plain 404. */
  requireUpstream(request: AdminRequest): Promise<EntityRow>;
  /** The target of this upstream. Throws the plain 404. */
  requireTarget(request: AdminRequest, upstream: EntityRow): Promise<EntityRow>;
  /** Newest first. Throws EntityError 7 for an offset that is none. */
  page(upstream: EntityRow, paging: PagingArguments): Promise<Page>;
}

export function createTargetFinder(
  upstreams: EntityDefinition,
  targets: EntityDefinition,
  store: EntityStore,
): TargetFinder {
  return {
    requireUpstream: ({ captures: [key = ''] }) =>
      requireByKey(store, upstreams, readEntityKey(upstreams, key)),
    async requireTarget({ captures: [, key = ''] }, { id }) {
      const row = await requireByKey(store, targets, readChildKey(targets, withPort(key), 'upstream', id));
      if ((row['upstream'] as { readonly id: string }).id !== id) throw notFound();
      return row;
    },
    async page({ id }, { size, offset }) {
      const start = readOffset(offset);
      const rows = [...(await listChildren(store, targets, 'upstream', id))].sort(byAge);
      const end = start + size;
      return { rows: rows.slice(start, end), ...(end < rows.length && { offset: String(end) }) };
    },
  };
}

export function overrideTargets(
  targets: EntityDefinition,
  finder: TargetFinder,
  writes: EntityWrites,
): EndpointOverride[] {
  const template = `${TARGETS_TEMPLATE}/{${targets.name}}`;
  const change: AdminHandler = async (request) => {
    const upstream = await finder.requireUpstream(request);
    const { id } = await finder.requireTarget(request, upstream);
    const belongs = (row: EntityRow) => (row['upstream'] as { readonly id: string }).id === upstream.id;
    return answerJson(200, await writes.patch(targets, { kind: 'id', id }, request.input, belongs));
  };
  const withDefaultPort = (handler: AdminHandler): AdminHandler => {
    return (request) => {
      const [upstream = '', target = ''] = request.captures;
      return handler({ ...request, captures: [upstream, withPort(target)] });
    };
  };
  return [
    {
      template: TARGETS_TEMPLATE,
      method: 'GET',
      wrap: () => async (request) => {
        const upstream = await finder.requireUpstream(request);
        const { size, offset } = readListArguments(request.query);
        const page = await finder.page(upstream, { size, ...(offset !== undefined && { offset }) });
        return answerPage(page, pathOf(request, ''), request.query, []);
      },
    },
    { template, method: 'GET', wrap: withDefaultPort },
    { template, method: 'DELETE', wrap: withDefaultPort },
    { template, method: 'PATCH', wrap: () => change },
    { template, method: 'PUT', wrap: () => change },
  ];
}

/** `/upstreams/{u}/targets/all`: the same rows in the order and with the offsets of other lists. */
export function allTargetsEndpoint(
  targets: EntityDefinition,
  finder: TargetFinder,
  store: EntityStore,
): Endpoint {
  return {
    template: `${TARGETS_TEMPLATE}/all`,
    methods: {
      GET: async (request) => {
        const { id } = await finder.requireUpstream(request);
        const paging = readPagingArguments(request.query);
        const page = await store.page(targets, { ...paging, parent: { field: 'upstream', id } });
        return answerPage(page, pathOf(request, '/all'), request.query, []);
      },
    },
  };
}

function pathOf({ captures: [upstream = ''] }: AdminRequest, below: string): string {
  return `/upstreams/${encodeURIComponent(upstream)}/targets${below}`;
}

function withPort(key: string): string {
  return isUuid(key) ? key : (normaliseTarget(key) ?? key);
}

function readOffset(offset: string | undefined): number {
  if (offset === undefined) return 0;
  if (/^\d{1,9}$/.test(offset)) return Number(offset);
  throw new EntityError(7, `'${offset}' is not a valid offset: expected a number`);
}

function byAge(one: EntityRow, other: EntityRow): number {
  const age = Number(other['created_at']) - Number(one['created_at']);
  return age !== 0 ? age : one.id < other.id ? 1 : -1;
}
