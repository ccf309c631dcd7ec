/** The plugins that come with the gateway. They trust each other, so one isolate holds them all. */
import type { PluginPackage } from './bundle-package.ts';

const PLUGINS_FOLDER = new URL('../../plugins/', import.meta.url);

/** Folder names; the name of a plugin is in its definition. */
const FOLDERS = [
  'correlation-id',
  'cors',
  'jwt',
  'key-auth',
  'basic-auth',
  'ip-restriction',
  'acl',
  'rate-limiting',
  'request-transformer',
  'opentelemetry',
  'metrics',
  'request-termination',
] as const;

export const BUNDLED_PACKAGE: PluginPackage = {
  name: 'bundled',
  entries: FOLDERS.map((folder) => new URL(`${folder}/index.ts`, PLUGINS_FOLDER)),
};
