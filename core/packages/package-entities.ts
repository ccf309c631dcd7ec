/** The entities a package declares, and whose names they are. Pure. */
import type { EntityManifest, PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { EntityDefinition } from '../entities/define-entity.ts';
import { publishedEntity } from '../entities/published-entity.ts';
import { RESERVED_NAMES } from '../entities/reserved-names.ts';

export function listPublishedEntities(manifest: PackageManifest): readonly EntityDefinition[] {
  return declaredBy(manifest).map(publishedEntity);
}

/** A name or path that belongs to the gateway or to another package, and to whom; undefined when all are free. */
export function findTakenEntity(
  manifest: PackageManifest,
  others: readonly PackageManifest[],
): { readonly name: string; readonly owner: string } | undefined {
  const taken = new Set(others.flatMap(declaredBy).flatMap(namesOf));
  for (const name of declaredBy(manifest).flatMap(namesOf)) {
    if (RESERVED_NAMES.has(name)) return { name, owner: 'the gateway' };
    if (taken.has(name)) return { name, owner: 'another package' };
  }
  return undefined;
}

/** Whether two versions declare the same, so that both can work on the same rows at once. */
export function declareTheSame(left: PackageManifest, right: PackageManifest): boolean {
  return JSON.stringify(declaredBy(left)) === JSON.stringify(declaredBy(right));
}

function declaredBy({ plugins }: PackageManifest): readonly EntityManifest[] {
  return plugins.flatMap(({ entities = [] }) => entities);
}

function namesOf({ name, adminApiName, adminApiNestedName }: EntityManifest): readonly string[] {
  return [name, adminApiName, adminApiNestedName];
}
