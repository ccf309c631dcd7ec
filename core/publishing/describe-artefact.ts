/** What an operator wants to know of an artefact before letting it in. Pure. */
import { describeCapabilities } from '../authoring/describe-capabilities.ts';
import { renderConfiguration } from '../docs/render-configuration.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';

export function describeArtefact({
  name,
  version,
  digest,
  code,
  manifest,
}: PluginArtefact): readonly string[] {
  return [
    `${name} ${version}`,
    `sha256 ${digest}, as its content has it`,
    `${code.length} characters of code`,
    ...manifest.plugins.flatMap((plugin) => [
      '',
      `plugin ${plugin.name} ${plugin.version}`,
      `  may reach: ${describeCapabilities(plugin.capabilities)}`,
      ...(plugin.entities ?? []).map(
        ({ name: entity, adminApiName, generateAdminApi }) =>
          `  keeps rows of ${entity}${generateAdminApi ? `, at /${adminApiName}` : ''}`,
      ),
      `  runs in ${plugin.phases.join(', ')} with priority ${plugin.priority}`,
      `  is attached to ${plugin.scopes.join(', ')}`,
      '',
      ...renderConfiguration(plugin.schema).trimEnd().split('\n'),
    ]),
  ];
}
