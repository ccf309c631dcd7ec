/**
 * Configurations as a published package is given them: stored under the schema of one version, and filled with the
 * defaults of the one that runs. Pure.
 */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { GuestConfiguration } from '../../sdk/protocol/plan.ts';
import { applyDefaults } from '../../sdk/schema/index.ts';

export function completeConfiguration(
  configuration: GuestConfiguration,
  { plugins }: PackageManifest,
): GuestConfiguration {
  const schemas = new Map(plugins.map(({ name, schema }) => [name, schema]));
  const instances = configuration.instances.map((instance) => {
    const schema = schemas.get(instance.plugin);
    return schema === undefined ? instance : { ...instance, config: applyDefaults(schema, instance.config) };
  });
  return { ...configuration, instances };
}
