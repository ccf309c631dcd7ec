/** Writes the generated pages under docs/. Run it with `npm run docs`; a test compares the committed pages. */
import { writeFileSync } from 'node:fs';
import { renderSettingsPage } from './render-settings-page.ts';

writeFileSync(new URL('../../docs/settings.md', import.meta.url), renderSettingsPage());
