import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderSettingsHelp, renderSettingsPage } from '../../../core/docs/render-settings-page.ts';
import { listSettings, variablesOf } from '../../../core/settings/setting-table.ts';

it('is what docs/settings.md holds (npm run docs writes it)', () => {
  const committed = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
  expect(committed).toBe(renderSettingsPage());
});

it('names every variable and alias on the page, and every variable in the help', () => {
  const page = renderSettingsPage();
  const help = renderSettingsHelp();
  for (const { row } of listSettings()) {
    for (const variable of variablesOf(row)) expect(page).toContain(`\`${variable}\``);
    expect(help).toContain(`  ${variablesOf(row)[0]} (`);
  }
});
