/**
 * Fields marked as `encrypted` lie encrypted in the database. What reads rows is handed them in the clear, and knows
 * nothing of it. Values are found again by how they look, so that one can be read after its field has lost the mark.
 */
import type { FieldDefinition, FieldMap, PlainRecord, RecordField } from '../../sdk/schema/index.ts';
import { isPlainRecord } from '../../sdk/schema/index.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { ConfigurationReader } from './configuration-reader.ts';
import type { ExpiringEntityStore } from './create-entity-store.ts';

/** See core/crypto/keyring.ts. */
export interface FieldCipher {
  readonly hasKey: boolean;
  seal(text: string, context: string): string;
  open(text: string, context: string): string;
}

/** Neither encrypts nor decrypts. */
export const NO_CIPHER: FieldCipher = { hasKey: false, seal: (text) => text, open: (text) => text };

/** The row with its marked fields encrypted. `onSealed` is told when there was one. */
export function sealRow(
  entity: EntityDefinition,
  row: EntityRow,
  cipher: FieldCipher,
  onSealed: () => void = () => {},
): EntityRow {
  const special = entity.specialise?.(row);
  const { fields } = special?.ok ? special.definition : entity;
  const seal = (text: string, path: string): string => {
    onSealed();
    return cipher.seal(text, contextOf(entity.name, row.id, path));
  };
  return sealMembers({ type: 'record', fields }, row, '', seal) as EntityRow;
}

/** The row in the clear. */
export function openRow<Row extends PlainRecord>(
  entity: string,
  id: string,
  row: Row,
  cipher: FieldCipher,
): Row {
  return openValue(row, '', (text, path) => cipher.open(text, contextOf(entity, id, path))) as Row;
}

/** Every row is encrypted on its way in and in the clear on its way out. */
export function encryptStore(
  store: ExpiringEntityStore,
  cipher: FieldCipher,
  onStoredInClear: () => void,
): ExpiringEntityStore {
  const seal = (entity: EntityDefinition, row: EntityRow): EntityRow =>
    sealRow(entity, row, cipher, cipher.hasKey ? undefined : onStoredInClear);
  const open = ({ name }: EntityDefinition, row: EntityRow): EntityRow => openRow(name, row.id, row, cipher);
  const openFound = async (entity: EntityDefinition, finding: Promise<EntityRow | undefined>) => {
    const row = await finding;
    return row && open(entity, row);
  };
  return {
    ...store,
    selectById: (entity, id) => openFound(entity, store.selectById(entity, id)),
    selectByUnique: (entity, field, value) => openFound(entity, store.selectByUnique(entity, field, value)),
    selectByUniqueTogether: (entity, members) =>
      openFound(entity, store.selectByUniqueTogether(entity, members)),
    async page(entity, query) {
      const page = await store.page(entity, query);
      return { ...page, rows: page.rows.map((row) => open(entity, row)) };
    },
    all: async (entity) => (await store.all(entity)).map((row) => open(entity, row)),
    insert: async (entity, row, ttl) => open(entity, await store.insert(entity, seal(entity, row), ttl)),
    update: async (entity, row, ttl) => open(entity, await store.update(entity, seal(entity, row), ttl)),
    upsert: async (entity, row, ttl) => open(entity, await store.upsert(entity, seal(entity, row), ttl)),
  };
}

/** What it reads is in the clear. */
export function decryptReader(reader: ConfigurationReader, cipher: FieldCipher): ConfigurationReader {
  const openAll = (entity: string, rows: readonly EntityRow[]) =>
    rows.map((row) => openRow(entity, row.id, row, cipher));
  return {
    ...reader,
    async readAll(...given) {
      const reading = await reader.readAll(...given);
      const rows = [...reading.rows].map(([entity, each]) => [entity, openAll(entity, each)] as const);
      return { ...reading, rows: new Map(rows) };
    },
    async readChanges(position) {
      const excerpt = await reader.readChanges(position);
      return (
        excerpt && {
          ...excerpt,
          changes: excerpt.changes.map((change) => ({
            ...change,
            row: change.row && openRow(change.entity, change.row.id, change.row, cipher),
          })),
        }
      );
    },
    async readByValues(entity, field, values) {
      const found = await reader.readByValues(entity, field, values);
      const rows = [...found].map(
        ([value, row]) => [value, openRow(entity.name, row.id, row, cipher)] as const,
      );
      return new Map(rows);
    },
  };
}

type Transform = (text: string, path: string) => string;

/** A value is bound to its place: it cannot be read as another row's, or as another field's. */
function contextOf(entity: string, id: string, path: string): string {
  return `${entity}/${id.toLowerCase()}${path}`;
}

function sealMembers(record: RecordField, value: PlainRecord, path: string, seal: Transform): PlainRecord {
  const members = Object.entries(value).map(([name, member]) => {
    const field = fieldOf(record, name);
    return [name, field === undefined ? member : sealValue(field, member, `${path}.${name}`, false, seal)];
  });
  return Object.fromEntries(members);
}

/** A deprecated spelling is as secret as the field it stands for. */
function fieldOf({ fields, shorthands = {} }: RecordField, name: string): FieldDefinition | undefined {
  if (Object.hasOwn(fields, name)) return fields[name];
  const shorthand = Object.hasOwn(shorthands, name) ? shorthands[name] : undefined;
  if (shorthand === undefined) return undefined;
  const replacedBy = shorthand.replaced_with.reduce<FieldDefinition | undefined>(
    (field, member) => partOf(field, member),
    { type: 'record', fields },
  );
  return replacedBy?.encrypted ? replacedBy : shorthand.field;
}

function partOf(field: FieldDefinition | undefined, member: string): FieldDefinition | undefined {
  const fields: FieldMap = field?.type === 'record' ? field.fields : {};
  return Object.hasOwn(fields, member) ? fields[member] : undefined;
}

function sealValue(
  field: FieldDefinition,
  value: unknown,
  path: string,
  isWithin: boolean,
  seal: Transform,
): unknown {
  const isMarked = isWithin || field.encrypted === true;
  if (typeof value === 'string') return isMarked ? seal(value, path) : value;
  if (Array.isArray(value)) {
    if (field.type !== 'array' && field.type !== 'set') return value;
    return value.map((item) => sealValue(field.elements, item, path, isMarked, seal));
  }
  if (!isPlainRecord(value)) return value;
  if (field.type === 'record') return sealMembers(field, value, path, seal);
  if (field.type !== 'map') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      sealValue(field.values, item, `${path}.${name}`, isMarked, seal),
    ]),
  );
}

/** The same object where there is nothing to open: rows are read by the thousand. */
function openValue(value: unknown, path: string, open: Transform): unknown {
  if (typeof value === 'string') return open(value, path);
  if (Array.isArray(value)) {
    const opened = value.map((item) => openValue(item, path, open));
    return opened.some((item, at) => item !== value[at]) ? opened : value;
  }
  if (!isPlainRecord(value)) return value;
  let opened: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const clear = openValue(member, `${path}.${name}`, open);
    if (clear === member) continue;
    opened ??= { ...value };
    opened[name] = clear;
  }
  return opened ?? value;
}
