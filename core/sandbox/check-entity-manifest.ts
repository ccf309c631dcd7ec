/** Entities as a stranger's package declares them, checked before tables and paths are made of them. Pure. */
import { checkWholeRecord } from './check-schema.ts';
import { isPlain, oneOf, type Plain, quote } from './plain-values.ts';

const ENTITY_NAME = /^[a-z][a-z0-9_]{0,62}$/;
const PATH_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const FIELD_NAME = /^[a-z][a-z0-9_]{0,62}$/;
/** They are there by themselves, on every object, or mean something else on input. */
const FIELDS_OF_ALL = ['id', 'created_at', 'updated_at', 'tags', 'ttl', 'constructor'];
const PARENTS = ['consumers', 'services', 'routes'];
const SWITCHES = ['tags', 'ttl', 'generateAdminApi'];
const MAX_ENTITIES = 16;
const MAX_FIELDS = 64;
const MAX_CHECKS = 64;
const MAX_REVISION = 1000;

/** What is wrong with them, for their author; undefined when nothing is. */
export function checkEntities(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length > MAX_ENTITIES) {
    return `entities must list up to ${MAX_ENTITIES} entities`;
  }
  for (const entity of given) {
    const problem = isPlain(entity) ? checkEntity(entity) : 'is no object';
    if (problem !== undefined) return `entity '${isPlain(entity) ? quote(entity['name']) : ''}': ${problem}`;
  }
  return undefined;
}

/** Names and paths that no two entities may share. Those that are no texts are for `checkEntities` to refuse. */
export function pathsOfEntities(given: unknown): readonly string[] {
  if (!Array.isArray(given)) return [];
  return given
    .filter(isPlain)
    .flatMap(({ name, adminApiName, adminApiNestedName }) => [
      ...new Set([name, adminApiName, adminApiNestedName].filter((each) => typeof each === 'string')),
    ]);
}

function checkEntity(entity: Plain): string | undefined {
  const { name, adminApiName, adminApiNestedName, endpointKey, fields, checks, revision } = entity;
  if (!isNamed(name, ENTITY_NAME)) return 'name must be lower case letters, digits and underscores';
  if (!isNamed(adminApiName, PATH_NAME) || !isNamed(adminApiNestedName, PATH_NAME)) {
    return 'paths must be lower case letters, digits, dashes and underscores';
  }
  const unset = SWITCHES.find((each) => typeof entity[each] !== 'boolean');
  if (unset !== undefined) return `${unset} must be true or false`;
  if (!Number.isInteger(revision) || (revision as number) < 1 || (revision as number) > MAX_REVISION) {
    return `revision must be a whole number from 1 to ${MAX_REVISION}`;
  }
  if (!isPlain(fields) || Object.keys(fields).length > MAX_FIELDS) {
    return `fields must be up to ${MAX_FIELDS} fields`;
  }
  if (!Array.isArray(checks) || checks.length > MAX_CHECKS) return `checks must be up to ${MAX_CHECKS} rules`;
  const key =
    typeof endpointKey === 'string' && Object.hasOwn(fields, endpointKey) ? fields[endpointKey] : {};
  if (endpointKey !== undefined && (key as Plain)['unique'] !== true) {
    return 'endpointKey must name a unique field';
  }
  return checkWholeRecord({ type: 'record', fields, checks }, 'entity') ?? checkFields(fields);
}

function checkFields(fields: Plain): string | undefined {
  const parents: unknown[] = [];
  for (const [name, field] of Object.entries(fields) as [string, Plain][]) {
    if (!FIELD_NAME.test(name) || FIELDS_OF_ALL.includes(name)) return `'${name}' is no name for a field`;
    const problem = field['type'] === 'foreign' ? checkReference(field) : checkOwnField(field);
    if (problem !== undefined) return `${name} ${problem}`;
    if (field['type'] === 'foreign') parents.push(field['reference']);
  }
  if (new Set(parents).size < parents.length) return 'two fields refer to the same entity';
  return undefined;
}

function checkReference({
  reference,
  on_delete: onDelete = 'cascade',
  unique,
  auto,
}: Plain): string | undefined {
  if (!oneOf(PARENTS)(reference)) return `may refer to ${PARENTS.join(', ')} only`;
  if (onDelete !== 'cascade') return 'must have the on_delete cascade, or none';
  return unique || auto ? 'is a reference, and can be neither unique nor auto' : undefined;
}

function checkOwnField(field: Plain): string | undefined {
  if ((field['unique'] || field['auto']) && field['type'] !== 'string') {
    return 'can be unique or auto only as a string';
  }
  // Two equal values do not look equal when they are encrypted.
  if (field['unique'] && field['encrypted']) return 'cannot be unique and encrypted';
  return partsOf(field).some(isMisplaced) ? 'holds parts that are unique, auto or references' : undefined;
}

function isMisplaced(field: Plain): boolean {
  return (
    Boolean(field['type'] === 'foreign' || field['unique'] || field['auto']) ||
    partsOf(field).some(isMisplaced)
  );
}

function partsOf({ elements, keys, values, fields }: Plain): readonly Plain[] {
  return [elements, keys, values, ...Object.values(isPlain(fields) ? fields : {})].filter(isPlain);
}

const isNamed = (value: unknown, names: RegExp): boolean => typeof value === 'string' && names.test(value);
