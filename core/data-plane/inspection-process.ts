/** The process that takes the first look at a package; see inspect-package.ts. */
import { PluginIsolate } from '../sandbox/plugin-isolate.ts';
import type { InspectionOrder, InspectionResult } from './inspect-package.ts';

process.once('message', (order) => {
  const problem = findProblem(order as InspectionOrder);
  process.send?.((problem === undefined ? {} : { problem }) satisfies InspectionResult);
});

function findProblem({ artefact, limits }: InspectionOrder): string | undefined {
  const { name, code, manifest } = artefact;
  let isolate: PluginIsolate | undefined;
  try {
    isolate = new PluginIsolate({ name, code }, limits, {
      onSaid: () => '',
      onCatastrophe: () => process.exit(1),
    });
    const described = String(isolate.call('describe'));
    if (described !== JSON.stringify(manifest)) return 'it does not describe itself as in its manifest';
    isolate.call('configure', JSON.stringify(emptyConfiguration(limits.cacheEntries)));
    isolate.pump('');
    isolate.call('collectMetrics');
    return isolate.has('selfTest') ? testItself(isolate) : undefined;
  } catch (error) {
    return `it does not load: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    isolate?.dispose();
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
