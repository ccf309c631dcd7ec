/** Routes: which requests go to which service (contract/admin-api.md section 3.2). */
import type { FieldDefinition } from '../../sdk/schema/fields.ts';
import { CREATED_AT, ID, PROTOCOLS, TAGS, UNIQUE_NAME, UPDATED_AT } from './common-fields.ts';
import { defineEntity, type EntityDefinition, type Specialisation } from './define-entity.ts';
import { checkRoute, findRouteProtocol } from './route-rules.ts';

/** Peers of a stream connection: each an address, a port, or both. */
const PEERS = {
  type: 'set',
  elements: {
    type: 'record',
    fields: {
      ip: { type: 'string', format: 'ip_or_cidr' },
      port: { type: 'integer', between: [0, 65535] },
    },
    checks: [{ kind: 'at_least_one_of', fields: ['ip', 'port'] }],
  },
} as const satisfies FieldDefinition;

export const routes: EntityDefinition = defineEntity({
  name: 'routes',
  adminName: 'routes',
  nestedNames: { service: 'routes' },
  endpointKey: 'name',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    name: UNIQUE_NAME,
    protocols: {
      type: 'set',
      required: true,
      len_min: 1,
      elements: { type: 'string', one_of: PROTOCOLS },
      mutually_exclusive_subsets: [
        ['http', 'https'],
        ['tcp', 'tls', 'udp'],
        ['tls_passthrough'],
        ['grpc', 'grpcs'],
      ],
      default: ['http', 'https'],
    },
    methods: { type: 'set', elements: { type: 'string', match: '^[A-Z]+$' } },
    hosts: { type: 'array', elements: { type: 'string', format: 'route_host' } },
    paths: { type: 'array', elements: { type: 'string', format: 'route_path' } },
    headers: {
      type: 'map',
      keys: { type: 'string', format: 'header_name' },
      values: { type: 'array', elements: { type: 'string' } },
    },
    https_redirect_status_code: {
      type: 'integer',
      required: true,
      one_of: [426, 301, 302, 307, 308],
      default: 426,
    },
    regex_priority: { type: 'integer', default: 0 },
    strip_path: { type: 'boolean', required: true, default: true },
    path_handling: { type: 'string', one_of: ['v0', 'v1'], default: 'v0' },
    preserve_host: { type: 'boolean', required: true, default: false },
    request_buffering: { type: 'boolean', required: true, default: true },
    response_buffering: { type: 'boolean', required: true, default: true },
    tags: TAGS,
    service: { type: 'foreign', reference: 'services', on_delete: 'restrict' },
    snis: { type: 'set', elements: { type: 'string', format: 'sni' } },
    sources: PEERS,
    destinations: PEERS,
  },
  checks: [],
  rules: checkRoute,
  specialise: specialiseRoute,
  shorthands: {},
  hasTtl: false,
});

/** gRPC has no path to strip. A list of protocols of which none is known is refused before anything else is asked. */
function specialiseRoute(input: Readonly<Record<string, unknown>>): Specialisation {
  const protocols = input['protocols'];
  if (!Array.isArray(protocols) || protocols.length === 0) return { ok: true, definition: routes };
  const first = findRouteProtocol(protocols);
  if (first === undefined)
    return { ok: false, errors: { protocols: `unknown type: ${String(protocols[0])}` } };
  if (first !== 'grpc' && first !== 'grpcs') return { ok: true, definition: routes };
  const fields = {
    ...routes.fields,
    strip_path: { type: 'boolean', required: true, default: false } as const,
  };
  return { ok: true, definition: { ...routes, fields } };
}
