/** Writes the generated pages under docs/. Run it with `npm run docs`; tests compare the committed pages. */
import { writeFileSync } from 'node:fs';
import { renderSettingsPage } from './render-settings-page.ts';
import { readDeclarations } from './sdk-reference/read-declarations.ts';
import { renderReference } from './sdk-reference/render-reference.ts';

const DOCS = new URL('../../docs/', import.meta.url);

writeFileSync(new URL('settings.md', DOCS), renderSettingsPage());
writeFileSync(new URL('plugins/reference.md', DOCS), renderReference(readDeclarations()));
