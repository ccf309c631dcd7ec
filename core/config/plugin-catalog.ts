/** The plugins that loaded packages offer, as the Admin API and validation need to see them. */
import type { PackageManifest, PluginManifest } from '../../sdk/protocol/manifest.ts';
import type { PluginSchema, PluginSchemas } from '../entities/plugin-schemas.ts';

export interface PluginCatalog extends PluginSchemas {
  info(name: string): { readonly version: string; readonly priority: number } | undefined;
  manifest(name: string): PluginManifest | undefined;
}

/** `enabled`: names the operator wants; undefined for all. */
export function createPluginCatalog(
  packages: readonly PackageManifest[],
  enabled: ReadonlySet<string> | undefined,
): PluginCatalog {
  const manifests = packages
    .flatMap(({ plugins }) => plugins)
    .filter(
      ({ name, aliases }) => enabled === undefined || [name, ...aliases].some((known) => enabled.has(known)),
    );
  const byName = new Map<string, PluginManifest>();
  for (const manifest of manifests) {
    for (const name of [manifest.name, ...manifest.aliases]) byName.set(name, manifest);
  }
  const schemas = new Map([...byName].map(([name, manifest]) => [name, schemaOf(manifest)]));
  return {
    get: (name) => schemas.get(name),
    names: () => manifests.map(({ name }) => name).toSorted(),
    info: (name) => byName.get(name),
    manifest: (name) => byName.get(name),
  };
}

export interface ReplaceableCatalog extends PluginCatalog {
  /** From now on it is of these packages. */
  replace(packages: readonly PackageManifest[]): void;
}

/** Empty at first: which plugins there are is known only once workers have loaded them. */
export function createReplaceableCatalog(enabled: ReadonlySet<string> | undefined): ReplaceableCatalog {
  let catalog = createPluginCatalog([], enabled);
  return {
    get: (name) => catalog.get(name),
    names: () => catalog.names(),
    info: (name) => catalog.info(name),
    manifest: (name) => catalog.manifest(name),
    replace(packages) {
      catalog = createPluginCatalog(packages, enabled);
    },
  };
}

function schemaOf({ name, schema, protocols, defaultProtocols, scopes }: PluginManifest): PluginSchema {
  const refused = (['service', 'route', 'consumer'] as const).filter((scope) => !scopes.includes(scope));
  return {
    name,
    configSchema: schema,
    protocols,
    ...(defaultProtocols && { defaultProtocols }),
    scopes: Object.fromEntries(refused.map((scope) => [scope, false])) as PluginSchema['scopes'] & object,
  };
}
