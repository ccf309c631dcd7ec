/** Writes the generated pages, and tables in pages. Run it with `npm run docs`; tests compare what is committed. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import type { RecordField } from '../../sdk/schema/fields.ts';
import { fillConfiguration } from './render-configuration.ts';
import { renderSettingsPage } from './render-settings-page.ts';
import { readDeclarations } from './sdk-reference/read-declarations.ts';
import { renderReference } from './sdk-reference/render-reference.ts';

const ROOT = new URL('../../', import.meta.url);

writeFileSync(new URL('docs/settings.md', ROOT), renderSettingsPage());
writeFileSync(new URL('docs/plugins/reference.md', ROOT), renderReference(readDeclarations()));
for (const path of globSync('plugins/*/README.md', { cwd: ROOT })) {
  const readme = new URL(path, ROOT);
  const module = (await import(new URL('index.ts', readme).href)) as {
    readonly default: { readonly schema: RecordField };
  };
  writeFileSync(readme, fillConfiguration(readFileSync(readme, 'utf8'), module.default.schema));
}
