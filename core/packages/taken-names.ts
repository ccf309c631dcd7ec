/** Names that a package wants and somebody else has. Pure. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { findTakenEntity } from './package-entities.ts';
import { refuse } from './package-refusal.ts';

/** What a node says of itself and of its traffic begins with one of these. */
const METRICS_OF_GATEWAY = ['kong_', 'tollgate_'];

/** Throws Refused. `bundled` come with the gateway, `others` are published. */
export function refuseTakenNames(
  manifest: PackageManifest,
  bundled: readonly PackageManifest[],
  others: readonly PackageManifest[],
): void {
  const entity = findTakenEntity(manifest, others);
  if (entity) throw refuse('conflict', `the name '${entity.name}' of an entity belongs to ${entity.owner}`);
  const reserved = metricsOf(manifest).find((name) => METRICS_OF_GATEWAY.some((own) => name.startsWith(own)));
  if (reserved !== undefined) throw refuse('conflict', `the metric '${reserved}' belongs to the gateway`);
  for (const [owner, packages] of [
    ['the gateway', bundled],
    ['another package', others],
  ] as const) {
    const taken = new Set(packages.flatMap(namesOf));
    const name = namesOf(manifest).find((wanted) => taken.has(wanted));
    if (name !== undefined) throw refuse('conflict', `the plugin name '${name}' belongs to ${owner}`);
    const metrics = new Set(packages.flatMap(metricsOf).flatMap(familiesOf));
    const metric = metricsOf(manifest).find((wanted) => familiesOf(wanted).some((name) => metrics.has(name)));
    if (metric !== undefined) throw refuse('conflict', `the metric '${metric}' belongs to ${owner}`);
  }
}

function namesOf({ plugins }: PackageManifest): readonly string[] {
  return plugins.flatMap(({ name, aliases }) => [name, ...aliases]);
}

function metricsOf({ plugins }: PackageManifest): readonly string[] {
  return plugins.flatMap(({ metrics }) => Object.keys(metrics));
}

/** With those that a histogram of that name has. */
function familiesOf(metric: string): readonly string[] {
  return [metric, ...['_bucket', '_sum', '_count'].map((suffix) => metric + suffix)];
}
