/** Rules of plugins that a setting of the node makes superfluous. */
import type { PackageManifest, PluginManifest } from '../../sdk/protocol/manifest.ts';

/** The packages without the rules that are waived by one of the settings, which are named as in the setting table. */
export function waiveChecks(
  packages: readonly PackageManifest[],
  settings: readonly string[],
): readonly PackageManifest[] {
  const waiveIn = (plugin: PluginManifest): PluginManifest => {
    const { checks } = plugin.schema;
    if (checks === undefined) return plugin;
    const kept = checks.filter(
      (check) =>
        check.kind !== 'conditional' ||
        check.unless_setting === undefined ||
        !settings.includes(check.unless_setting),
    );
    return { ...plugin, schema: { ...plugin.schema, checks: kept } };
  };
  return packages.map((each) => ({ ...each, plugins: each.plugins.map(waiveIn) }));
}
