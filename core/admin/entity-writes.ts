/**
 * Creating, replacing, changing and deleting entities: coerce, complete, resolve references, validate, store,
 * publish, in the order of contract/admin-api.md section 4. Knows nothing of HTTP.
 */
import { randomUUID } from 'node:crypto';
import { coerceEntityForm } from '../entities/coerce-entity-form.ts';
import {
  completeForInsert,
  mergeForUpdate,
  schemaViolation,
  validateEntity,
} from '../entities/complete-entity.ts';
import type { ConfigurationChange } from '../entities/configuration-change.ts';
import type { EntityDefinition, EntityRow, RuleErrors } from '../entities/define-entity.ts';
import { readTtlSeconds } from '../entities/read-ttl-seconds.ts';
import { EntityError } from '../store/entity-error.ts';
import type { EntityStore } from '../store/entity-store.ts';
import type { RequestInput } from './admin-exchange.ts';
import { notFound } from './admin-refusal.ts';
import { type EntityKey, findByKey, keyNotFound } from './entity-key.ts';
import { resolveReferences } from './resolve-references.ts';
import { createWriteQueue } from './write-queue.ts';

type Members = Readonly<Record<string, unknown>>;
type Operation = 'insert' | 'update' | 'upsert';

/** A rule that has to look at other entities. `input` is what the request named. Empty when all is well. */
export type WriteRule = (row: EntityRow, input: Members, operation: Operation) => Promise<RuleErrors>;

export interface EntityWriteDependencies {
  readonly store: EntityStore;
  readonly findDefinition: (name: string) => EntityDefinition | undefined;
  /** Rules by entity name. */
  readonly rules: Readonly<Record<string, WriteRule>>;
  /** Called after every successful write, in the order of the writes, and awaited before the write is answered. */
  readonly publish: (change: ConfigurationChange) => Promise<void>;
}

/** A child and the foreign field through which its parent is reached. */
export interface ParentLink {
  readonly child: EntityDefinition;
  readonly childKey: EntityKey;
  readonly field: string;
  readonly parent: EntityDefinition;
}

/** Every method throws EntityError, the plain 404 where it says so, or StoreUnavailableError. */
export interface EntityWrites {
  /** `fixed` comes from the path and overrides the input. */
  insert(definition: EntityDefinition, input: RequestInput, fixed?: Members): Promise<EntityRow>;
  /** Creates or replaces the entity the key means. */
  replace(
    definition: EntityDefinition,
    key: EntityKey,
    input: RequestInput,
    fixed?: Members,
  ): Promise<EntityRow>;
  /** Throws EntityError 6 when there is none; with `isWanted`, the plain 404 for that and for one it refuses. */
  patch(
    definition: EntityDefinition,
    key: EntityKey,
    input: RequestInput,
    isWanted?: (row: EntityRow) => boolean,
  ): Promise<EntityRow>;
  /** False when there is none, or none that is wanted. */
  remove(
    definition: EntityDefinition,
    key: EntityKey,
    isWanted?: (row: EntityRow) => boolean,
  ): Promise<boolean>;
  /** Replaces the parent of a child, or creates one and links it. Answers the parent; the plain 404 without the child. */
  replaceParent(link: ParentLink, input: RequestInput): Promise<EntityRow>;
}

interface WriteContext extends EntityWriteDependencies {
  /** Publishes without waiting; the write waits for it when it has left the queue. */
  readonly announce: (change: ConfigurationChange) => void;
}

export function createEntityWrites(dependencies: EntityWriteDependencies): EntityWrites {
  const queue = createWriteQueue();

  /** Other writes go on while the workers take this one over. */
  const write = async <Result>(work: (context: WriteContext) => Promise<Result>): Promise<Result> => {
    const published: Promise<void>[] = [];
    const announce = (change: ConfigurationChange) => void published.push(dependencies.publish(change));
    const result = await queue(() => work({ ...dependencies, announce }));
    await Promise.all(published);
    return result;
  };

  return {
    insert: (definition, input, fixed = {}) =>
      write((context) => insertEntity(context, definition, input, fixed)),
    replace: (definition, key, input, fixed = {}) =>
      write((context) => replaceEntity(context, definition, key, input, fixed)),
    patch: (definition, key, input, isWanted) =>
      write((context) => patchEntity(context, definition, key, input, isWanted)),
    remove: (definition, key, isWanted) =>
      write((context) => removeEntity(context, definition, key, isWanted)),
    replaceParent: (link, input) => write((context) => replaceParent(context, link, input)),
  };
}

async function insertEntity(
  context: WriteContext,
  definition: EntityDefinition,
  { members, isForm }: RequestInput,
  fixed: Members,
): Promise<EntityRow> {
  const input = { ...(isForm ? coerceEntityForm(definition, members) : members), ...fixed };
  const ttlSeconds = readTtlSeconds(definition, input);
  const complete = completeForInsert(definition, input, nowSeconds());
  const checked = await checkRow(context, definition, complete, input, 'insert');
  const row = await context.store.insert(definition, checked, ttlSeconds);
  context.announce({ entity: definition.name, operation: 'insert', id: row.id, row });
  return row;
}

async function replaceEntity(
  context: WriteContext,
  definition: EntityDefinition,
  key: EntityKey,
  { members, isForm }: RequestInput,
  fixed: Members,
): Promise<EntityRow> {
  const { id: _id, ...given } = isForm ? coerceEntityForm(definition, members) : members;
  const ttlSeconds = readTtlSeconds(definition, given);
  const attempt = async (previous: EntityRow | undefined): Promise<EntityRow> => {
    const input = { ...given, ...fixed, ...keyMembers(key, previous) };
    const complete = completeForInsert(definition, input, nowSeconds());
    const checked = await checkRow(context, definition, complete, input, 'upsert');
    const row = await context.store.upsert(definition, checked, ttlSeconds);
    const before = previous === undefined ? {} : { previous };
    context.announce({ entity: definition.name, operation: 'upsert', id: row.id, row, ...before });
    return row;
  };
  const previous = await findByKey(context.store, definition, key);
  return attempt(previous).catch(async (error: unknown) => {
    // Another node may have created the same name since we looked: then there is something to replace.
    const clashed = error instanceof EntityError && error.code === 5;
    const rival =
      clashed && previous === undefined ? await findByKey(context.store, definition, key) : undefined;
    if (rival === undefined) throw error;
    return attempt(rival);
  });
}

/** The path decides both the key and the id; a name nobody has yet gets a new id. */
function keyMembers(key: EntityKey, previous: EntityRow | undefined): Members {
  return key.kind === 'id' ? { id: key.id } : { id: previous?.id ?? randomUUID(), [key.field]: key.value };
}

async function patchEntity(
  context: WriteContext,
  definition: EntityDefinition,
  key: EntityKey,
  { members, isForm }: RequestInput,
  isWanted?: (row: EntityRow) => boolean,
): Promise<EntityRow> {
  const stored = await findByKey(context.store, definition, key);
  const input = isForm ? coerceEntityForm(definition, members, stored) : members;
  const ttlSeconds = readTtlSeconds(definition, input);
  if (stored === undefined) throw isWanted === undefined ? keyNotFound(key) : notFound();
  if (isWanted?.(stored) === false) throw notFound();
  const merged = mergeForUpdate(definition, stored, input, nowSeconds());
  const checked = await checkRow(context, definition, merged, input, 'update', stored);
  const row = await context.store.update(definition, checked, ttlSeconds);
  context.announce({ entity: definition.name, operation: 'update', id: row.id, row, previous: stored });
  return row;
}

async function removeEntity(
  context: WriteContext,
  definition: EntityDefinition,
  key: EntityKey,
  isWanted: (row: EntityRow) => boolean = () => true,
): Promise<boolean> {
  const previous = await findByKey(context.store, definition, key);
  if (previous === undefined || !isWanted(previous)) return false;
  const { id } = previous;
  const wasThere = await context.store.delete(definition, id);
  if (wasThere) context.announce({ entity: definition.name, operation: 'delete', id, previous });
  return wasThere;
}

async function replaceParent(
  context: WriteContext,
  link: ParentLink,
  input: RequestInput,
): Promise<EntityRow> {
  const { child, childKey, field, parent } = link;
  const childRow = await findByKey(context.store, child, childKey);
  if (childRow === undefined) throw notFound();
  const reference = childRow[field] as { readonly id: string } | null;
  const key: EntityKey = { kind: 'id', id: reference?.id ?? randomUUID() };
  const parentRow = await replaceEntity(context, parent, key, input, {});
  if (reference === null) {
    const members = { [field]: { id: parentRow.id } };
    await patchEntity(context, child, { kind: 'id', id: childRow.id }, { members, isForm: false });
  }
  return parentRow;
}

/** References by key first, then the schema, then rules that look at other entities. Answers what is to be stored. */
async function checkRow(
  { store, findDefinition, rules }: WriteContext,
  definition: EntityDefinition,
  row: EntityRow,
  input: Members,
  operation: Operation,
  previous?: EntityRow,
): Promise<EntityRow> {
  const resolved = (await resolveReferences(definition, row, findDefinition, store)) as EntityRow;
  validateEntity(definition, resolved, operation);
  const errors = await rules[definition.name]?.(resolved, input, operation);
  if (errors !== undefined && Object.keys(errors).length > 0) throw schemaViolation(errors);
  const form = definition.toStored?.(resolved, input, previous) ?? { ok: true, row: resolved };
  if (!form.ok) throw schemaViolation(form.errors);
  return form.row;
}

const nowSeconds = (): number => Date.now() / 1000;
