/** Configurations of a plugin under test, completed and refused as the Admin API does it. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { ConfigurationError } from '../../sdk/testing/errors.ts';
import type { Configuration } from '../../sdk/testing/kit.ts';
import { createPluginCatalog } from '../config/plugin-catalog.ts';
import { completeForInsert, validateEntity } from '../entities/complete-entity.ts';
import { pluginEntity } from '../entities/plugins.ts';
import { EntityError } from '../store/entity-error.ts';

/** Rows have times; configurations do not. */
const ANY_TIME_SECONDS = 1;

/** The returned function throws ConfigurationError. `plugin` is a name of the package. */
export function createConfigurationCheck(
  manifest: PackageManifest,
  plugin: string,
): (config: Configuration) => Configuration {
  const entity = pluginEntity(createPluginCatalog([manifest], undefined));
  return (config) => {
    try {
      const row = completeForInsert(entity, { name: plugin, config }, ANY_TIME_SECONDS);
      validateEntity(entity, row, 'insert');
      return row['config'] as Configuration;
    } catch (error) {
      if (error instanceof EntityError) throw new ConfigurationError(error.message, error.fields ?? {});
      throw error;
    }
  };
}
