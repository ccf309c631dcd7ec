/**
 * The endpoints every entity has by its declaration: its collection, itself, its children below each parent, and
 * the parent through the child (contract/admin-api.md section 2.1). Exceptions are layered on top by overrides/.
 */
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { EntityStore } from '../store/entity-store.ts';
import { type AdminRequest, answerJson, type Endpoint, NO_CONTENT } from './admin-exchange.ts';
import { methodNotAllowed, notFound } from './admin-refusal.ts';
import { answerPage, readListArguments } from './answer-page.ts';
import { type EntityKey, readChildKey, readEntityKey, requireByKey } from './entity-key.ts';
import type { EntityWrites } from './entity-writes.ts';

export interface EntityAccess {
  readonly store: EntityStore;
  readonly writes: EntityWrites;
}

interface Relation {
  readonly child: EntityDefinition;
  /** The foreign field of the child. */
  readonly field: string;
  readonly parent: EntityDefinition;
}

/** Relations to entities that are not among the `known` ones have no endpoints. */
export function generateEndpoints(
  definitions: readonly EntityDefinition[],
  access: EntityAccess,
  known: readonly EntityDefinition[] = definitions,
): Endpoint[] {
  const relations = definitions.flatMap((child) => relationsOf(child, known));
  return [
    ...definitions.filter(hasOwnPaths).flatMap((definition) => entityEndpoints(definition, access)),
    ...relations.flatMap((relation) => childEndpoints(relation, access)),
    ...relations
      .filter(({ child }) => hasOwnPaths(child))
      .map((relation) => parentEndpoint(relation, access)),
  ];
}

const hasOwnPaths = ({ isNestedOnly }: EntityDefinition): boolean => isNestedOnly !== true;

function relationsOf(child: EntityDefinition, definitions: readonly EntityDefinition[]): Relation[] {
  return Object.entries(child.fields).flatMap(([field, { type, ...attributes }]) => {
    if (type !== 'foreign' || !('reference' in attributes)) return [];
    const parent = definitions.find(({ name }) => name === attributes.reference);
    return parent === undefined ? [] : [{ child, field, parent }];
  });
}

function entityEndpoints(definition: EntityDefinition, { store, writes }: EntityAccess): Endpoint[] {
  const keyOf = (request: AdminRequest) => readEntityKey(definition, request.captures[0] ?? '');
  const collectionPath = `/${definition.adminName}`;
  return [
    {
      template: collectionPath,
      methods: {
        GET: async ({ query }) => {
          const page = await store.page(definition, readListArguments(query));
          return answerPage(page, collectionPath, query, ['tags', 'size']);
        },
        POST: async ({ input }) => answerJson(201, await writes.insert(definition, input)),
      },
    },
    {
      template: `${collectionPath}/{${definition.name}}`,
      methods: {
        GET: async (request) => answerJson(200, await requireByKey(store, definition, keyOf(request))),
        PUT: async (request) =>
          answerJson(200, await writes.replace(definition, keyOf(request), request.input)),
        PATCH: async (request) =>
          answerJson(200, await writes.patch(definition, keyOf(request), request.input)),
        DELETE: async (request) => {
          await writes.remove(definition, keyOf(request));
          return NO_CONTENT;
        },
      },
    },
  ];
}

function childEndpoints(relation: Relation, access: EntityAccess): Endpoint[] {
  const { child, parent, field } = relation;
  const nestedName = child.nestedNames[field];
  if (nestedName === undefined) return [];
  const template = `/${parent.adminName}/{${parent.name}}/${nestedName}`;
  return [
    { template, methods: childCollectionMethods(relation, nestedName, access) },
    { template: `${template}/{${child.name}}`, methods: childEntityMethods(relation, access) },
  ];
}

function childCollectionMethods(
  { child, parent, field }: Relation,
  nestedName: string,
  { store, writes }: EntityAccess,
): Endpoint['methods'] {
  const requireParent = parentFinder(store, parent);
  return {
    GET: async (request) => {
      const parentRow = await requireParent(request);
      // The filter is checked and not applied: Kong's nested lists do the same.
      const { tags: _ignored, ...listArguments } = readListArguments(request.query);
      const page = await store.page(child, { ...listArguments, parent: { field, id: parentRow.id } });
      const path = `/${parent.adminName}/${encodeURIComponent(request.captures[0] ?? '')}/${nestedName}`;
      return answerPage(page, path, request.query, []);
    },
    POST: async (request) => {
      const parentRow = await requireParent(request);
      return answerJson(201, await writes.insert(child, request.input, { [field]: { id: parentRow.id } }));
    },
  };
}

function childEntityMethods(
  { child, parent, field }: Relation,
  { store, writes }: EntityAccess,
): Endpoint['methods'] {
  const requireParent = parentFinder(store, parent);
  const keyOf = (request: AdminRequest, parentRow: EntityRow) =>
    readChildKey(child, request.captures[1] ?? '', field, parentRow.id);
  const belongsTo = (parentRow: EntityRow) => (row: EntityRow) => referenceId(row, field) === parentRow.id;
  return {
    GET: async (request) => {
      const parentRow = await requireParent(request);
      const row = await requireByKey(store, child, keyOf(request, parentRow));
      if (!belongsTo(parentRow)(row)) throw notFound();
      return answerJson(200, row);
    },
    PUT: async (request) => {
      const parentRow = await requireParent(request);
      const fixed = { [field]: { id: parentRow.id } };
      return answerJson(200, await writes.replace(child, keyOf(request, parentRow), request.input, fixed));
    },
    PATCH: async (request) => {
      const parentRow = await requireParent(request);
      const key = keyOf(request, parentRow);
      return answerJson(200, await writes.patch(child, key, request.input, belongsTo(parentRow)));
    },
    DELETE: async (request) => {
      const parentRow = await requireParent(request);
      const wasThere = await writes.remove(child, keyOf(request, parentRow), belongsTo(parentRow));
      if (!wasThere) throw notFound();
      return NO_CONTENT;
    },
  };
}

function parentEndpoint({ child, field, parent }: Relation, { store, writes }: EntityAccess): Endpoint {
  const childKeyOf = (request: AdminRequest) => readEntityKey(child, request.captures[0] ?? '');
  const requireParentKey = async (request: AdminRequest): Promise<EntityKey> => {
    const id = referenceId(await requireByKey(store, child, childKeyOf(request)), field);
    if (id === undefined) throw notFound();
    return { kind: 'id', id };
  };
  return {
    template: `/${child.adminName}/{${child.name}}/${field}`,
    methods: {
      GET: async (request) =>
        answerJson(200, await requireByKey(store, parent, await requireParentKey(request))),
      PUT: async (request) => {
        const link = { child, childKey: childKeyOf(request), field, parent };
        return answerJson(200, await writes.replaceParent(link, request.input));
      },
      PATCH: async (request) =>
        answerJson(200, await writes.patch(parent, await requireParentKey(request), request.input)),
      DELETE: async (request) => {
        await requireParentKey(request);
        throw methodNotAllowed();
      },
    },
  };
}

function parentFinder(store: EntityStore, parent: EntityDefinition) {
  return (request: AdminRequest): Promise<EntityRow> =>
    requireByKey(store, parent, readEntityKey(parent, request.captures[0] ?? ''));
}

function referenceId(row: EntityRow, field: string): string | undefined {
  const reference = row[field];
  return typeof reference === 'object' && reference !== null && 'id' in reference
    ? String(reference.id)
    : undefined;
}
