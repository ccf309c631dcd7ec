/** Entities that published packages declare, as the rest of the gateway knows entities. Pure. */
import type { FieldDefinition, FieldMap } from '../../sdk/schema/fields.ts';
import { CREATED_AT, ID, TAGS, UPDATED_AT } from './common-fields.ts';
import type { EntityDefinition } from './define-entity.ts';

/** What a manifest says of one (sdk/protocol/manifest.ts), checked. */
export interface EntityDeclaration {
  readonly name: string;
  readonly adminApiName: string;
  readonly adminApiNestedName: string;
  readonly endpointKey?: string;
  readonly fields: FieldMap;
  readonly checks: EntityDefinition['checks'];
  readonly tags: boolean;
  readonly ttl: boolean;
  readonly generateAdminApi: boolean;
  readonly revision: number;
}

export function publishedEntity(declaration: EntityDeclaration): EntityDefinition {
  const { name, adminApiName, adminApiNestedName, endpointKey, checks, revision } = declaration;
  const declared = Object.entries(declaration.fields).map(([field, definition]) => [
    field,
    withCascade(definition),
  ]);
  const references = Object.entries(declaration.fields).flatMap(([field, { type }]) =>
    type === 'foreign' ? [field] : [],
  );
  return {
    name,
    adminName: adminApiName,
    nestedNames: Object.fromEntries(references.map((field) => [field, adminApiNestedName])),
    ...(endpointKey !== undefined && { endpointKey }),
    fields: {
      id: ID,
      created_at: CREATED_AT,
      updated_at: UPDATED_AT,
      ...Object.fromEntries(declared),
      ...(declaration.tags && { tags: TAGS }),
    },
    checks,
    shorthands: {},
    listedBy: references,
    hasTtl: declaration.ttl,
    published: { revision, hasEndpoints: declaration.generateAdminApi },
  };
}

/** As `/schemas` is to show it: rows go with what they refer to whether or not their author says so. */
function withCascade(field: FieldDefinition): FieldDefinition {
  return field.type === 'foreign' ? { ...field, on_delete: 'cascade' } : field;
}
