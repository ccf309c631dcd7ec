/** Which stored configurations a version of a package could not run with. Pure. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { createPluginCatalog } from '../config/plugin-catalog.ts';
import { mergeForUpdate, validateEntity } from '../entities/complete-entity.ts';
import type { EntityRow } from '../entities/define-entity.ts';
import { pluginEntity } from '../entities/plugins.ts';
import { EntityError } from '../store/entity-error.ts';

/** A stored plugin and what is wrong with it, in the words in which the Admin API would refuse it. */
export interface BrokenConfiguration {
  readonly id: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * `rows` are the stored plugins, `before` what the package declared so far. Going back, fields that only the newer
 * version knows are passed over: they have been filled in by its defaults.
 */
export function findBrokenConfigurations(
  rows: readonly EntityRow[],
  next: PackageManifest,
  before: PackageManifest | undefined,
  direction: 'forward' | 'back',
): readonly BrokenConfiguration[] {
  const catalog = createPluginCatalog([next], undefined);
  const entity = pluginEntity(catalog);
  const offered = new Set(next.plugins.map(({ name }) => name));
  const dropped = new Set(
    (before?.plugins ?? []).map(({ name }) => name).filter((name) => !offered.has(name)),
  );
  return rows.flatMap((row): readonly BrokenConfiguration[] => {
    const { id } = row;
    const name = String(row['name']);
    if (dropped.has(name)) return [{ id, name, fields: { name: `the package no longer has '${name}'` } }];
    if (!offered.has(name)) return [];
    try {
      const given = direction === 'forward' ? { config: row['config'] } : {};
      validateEntity(entity, mergeForUpdate(entity, row, given, Date.now() / 1000), 'update');
      return [];
    } catch (error) {
      if (!(error instanceof EntityError)) throw error;
      return [{ id, name, fields: error.fields ?? {} }];
    }
  });
}
