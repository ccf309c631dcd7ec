/** Fields that several entities share (contract/admin-api.md section 3). */
import type { FieldDefinition } from '../../sdk/schema/fields.ts';

export const ID = { type: 'string', uuid: true, auto: true } as const satisfies FieldDefinition;

/** Unix seconds; settable. */
export const CREATED_AT = { type: 'integer', timestamp: true, auto: true } as const satisfies FieldDefinition;

/** Unix seconds; set by every write, whatever the input says. */
export const UPDATED_AT = { type: 'integer', timestamp: true, auto: true } as const satisfies FieldDefinition;

export const TAGS = {
  type: 'set',
  elements: { type: 'string', required: true, format: 'tag' },
} as const satisfies FieldDefinition;

export const UNIQUE_NAME = {
  type: 'string',
  unique: true,
  format: 'utf8_name',
} as const satisfies FieldDefinition;

/** Every protocol a route or service may have, in the order messages list them. */
export const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;
