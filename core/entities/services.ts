/** Services: the upstreams that routes lead to (contract/admin-api.md section 3.1). */
import type { EntityCheck, FieldDefinition } from '../../sdk/schema/fields.ts';
import { CREATED_AT, ID, PROTOCOLS, TAGS, UNIQUE_NAME, UPDATED_AT } from './common-fields.ts';
import { defineEntity } from './define-entity.ts';
import { expandServiceUrl } from './service-url.ts';

const TIMEOUT_MS = {
  type: 'integer',
  between: [1, 2147483646],
  default: 60000,
} as const satisfies FieldDefinition;

/** `field` must be null unless the protocol speaks TLS to the upstream. */
const onlyWithTls = (field: string): EntityCheck => ({
  kind: 'conditional',
  if_field: 'protocol',
  if_match: { not_one_of: ['https', 'tls'] },
  then_field: field,
  then_match: { eq: null },
});

export const services = defineEntity({
  name: 'services',
  adminName: 'services',
  nestedNames: { client_certificate: 'services' },
  endpointKey: 'name',
  fields: {
    id: ID,
    created_at: CREATED_AT,
    updated_at: UPDATED_AT,
    name: UNIQUE_NAME,
    retries: { type: 'integer', between: [0, 32767], default: 5 },
    protocol: { type: 'string', required: true, one_of: PROTOCOLS, default: 'http' },
    host: { type: 'string', required: true, format: 'host' },
    port: { type: 'integer', required: true, between: [0, 65535], default: 80 },
    path: { type: 'string', starts_with: '/', format: 'path' },
    connect_timeout: TIMEOUT_MS,
    write_timeout: TIMEOUT_MS,
    read_timeout: TIMEOUT_MS,
    tags: TAGS,
    client_certificate: { type: 'foreign', reference: 'certificates' },
    tls_verify: { type: 'boolean' },
    tls_verify_depth: { type: 'integer', between: [0, 64] },
    ca_certificates: { type: 'array', elements: { type: 'string', uuid: true } },
    enabled: { type: 'boolean', required: true, default: true },
  },
  checks: [
    {
      kind: 'conditional',
      if_field: 'protocol',
      if_match: { one_of: ['tcp', 'tls', 'udp', 'grpc', 'grpcs'] },
      then_field: 'path',
      then_match: { eq: null },
    },
    onlyWithTls('client_certificate'),
    onlyWithTls('tls_verify'),
    onlyWithTls('tls_verify_depth'),
    onlyWithTls('ca_certificates'),
  ],
  shorthands: {
    url: {
      field: { type: 'string', len_min: 0 },
      expand: (value) => (typeof value === 'string' ? expandServiceUrl(value) : {}),
    },
  },
  hasTtl: false,
});
