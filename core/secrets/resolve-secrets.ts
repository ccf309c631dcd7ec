/**
 * Puts secrets in the place of references, on the way of a configuration to the guest that needs it: what is stored, shown
 * and logged are references. Pure but for what `read` does.
 */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestConfiguration, Instance } from '../../sdk/protocol/plan.ts';
import type { FieldDefinition, RecordField } from '../../sdk/schema/fields.ts';
import { parseSecretReference } from '../../sdk/schema/secret-reference.ts';
import type { ReadSecret } from './environment-vault.ts';

/** An instance that cannot have one of its secrets is marked, and fails every request it is picked for. */
export function resolveSecrets(
  configuration: GuestConfiguration,
  { plugins }: PackageManifest,
  read: ReadSecret,
): GuestConfiguration {
  const schemas = new Map<string, RecordField>();
  for (const { name, schema } of plugins) if (hasReferences(schema)) schemas.set(name, schema);
  if (schemas.size === 0) return configuration;
  const instances = configuration.instances.map((instance) => {
    const schema = schemas.get(instance.plugin);
    return schema === undefined ? instance : resolveInstance(instance, schema, read);
  });
  return { ...configuration, instances };
}

function resolveInstance(instance: Instance, schema: RecordField, read: ReadSecret): Instance {
  try {
    return { ...instance, config: resolveField(schema, instance.config, read) as Instance['config'] };
  } catch (error) {
    return { ...instance, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A value without references is the same object afterwards. */
function resolveField(field: FieldDefinition, value: unknown, read: ReadSecret): unknown {
  if (value === null || value === undefined || !hasReferences(field)) return value;
  switch (field.type) {
    case 'string': {
      const reference = parseSecretReference(value);
      return reference === undefined ? value : read(reference);
    }
    case 'array':
    case 'set':
      return (value as readonly unknown[]).map((element) => resolveField(field.elements, element, read));
    case 'map':
      return mapMembers(value, (member) => resolveField(field.values, member, read));
    case 'record':
      return mapMembers(value, (member, name) => {
        const own = Object.hasOwn(field.fields, name) ? field.fields[name] : undefined;
        return own === undefined ? member : resolveField(own, member, read);
      });
    default:
      return value;
  }
}

function mapMembers(value: unknown, map: (member: unknown, name: string) => unknown): unknown {
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, unknown>>).map(([name, member]) => [
      name,
      map(member, name),
    ]),
  );
}

/** Schemas are few and stay. */
const known = new WeakMap<FieldDefinition, boolean>();

function hasReferences(field: FieldDefinition): boolean {
  let found = known.get(field);
  if (found === undefined) {
    found = lookForReferences(field);
    known.set(field, found);
  }
  return found;
}

function lookForReferences(field: FieldDefinition): boolean {
  switch (field.type) {
    case 'string':
      return field.referenceable === true;
    case 'array':
    case 'set':
      return hasReferences(field.elements);
    case 'map':
      return hasReferences(field.values);
    case 'record':
      return Object.values(field.fields).some(hasReferences);
    default:
      return false;
  }
}
