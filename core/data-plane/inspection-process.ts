/** The process that takes the first look at a package; see inspect-package.ts. */
import type { MigrationOrder } from '../../sdk/protocol/migration.ts';
import { PluginIsolate } from '../sandbox/plugin-isolate.ts';
import type { InspectionOrder, InspectionResult } from './inspect-package.ts';

process.once('message', (order) => {
  process.send?.(inspect(order as InspectionOrder));
});

function inspect({ artefact, limits, migrations }: InspectionOrder): InspectionResult {
  const { name, code, manifest } = artefact;
  let isolate: PluginIsolate | undefined;
  try {
    isolate = new PluginIsolate({ name, code }, limits, {
      onSaid: () => '',
      onCatastrophe: () => process.exit(1),
    });
    const described = String(isolate.call('describe'));
    if (described !== JSON.stringify(manifest)) {
      return { problem: 'it does not describe itself as in its manifest' };
    }
    isolate.call('configure', JSON.stringify(emptyConfiguration(limits.cacheEntries)));
    isolate.pump('');
    isolate.call('collectMetrics');
    if (migrations !== undefined) return migrate(isolate, migrations);
    const problem = isolate.has('selfTest') ? testItself(isolate) : undefined;
    return problem === undefined ? {} : { problem };
  } catch (error) {
    return { problem: `it does not load: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    isolate?.dispose();
  }
}

function migrate(isolate: PluginIsolate, migrations: readonly MigrationOrder[]): InspectionResult {
  try {
    const outcomes = migrations.map((order) =>
      JSON.parse(String(isolate.call('migrate', JSON.stringify(order)))),
    );
    return { outcomes };
  } catch (error) {
    return { problem: `its migrations fail: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function testItself(isolate: PluginIsolate): string | undefined {
  try {
    isolate.call('selfTest');
    return undefined;
  } catch (error) {
    return `its self-test fails: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function emptyConfiguration(cacheEntries: number) {
  return { configuration: { generation: 0, instances: [], plans: [], consumers: {} }, cacheEntries };
}
