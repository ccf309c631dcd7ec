import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDeclarations } from '../../../core/docs/sdk-reference/read-declarations.ts';
import { renderReference } from '../../../core/docs/sdk-reference/render-reference.ts';

const sdk = readDeclarations();

describe('the reference of the SDK', () => {
  it('is what docs/plugins/reference.md holds (npm run docs writes it)', () => {
    const committed = readFileSync(new URL('../../../docs/plugins/reference.md', import.meta.url), 'utf8');
    expect(committed).toBe(renderReference(sdk));
  });

  it('knows in which phases a member can be called', () => {
    const phasesOf = (name: string) => sdk.kong.find((member) => member.name === name)?.phases;
    expect(phasesOf('request.getHeader')).toEqual(['rewrite', 'access', 'response', 'log']);
    expect(phasesOf('response.exit')).toEqual(['rewrite', 'access', 'response']);
    expect(phasesOf('request.getRawBody')).toEqual(['rewrite', 'access']);
    expect(phasesOf('record.bytesSent')).toEqual(['log']);
  });

  it('has a docstring for each member of kong, each export and each word of schemas', () => {
    const told = [...sdk.kong, ...sdk.exports, ...sdk.testing, ...sdk.schema];
    expect(told.length).toBeGreaterThan(150);
    expect(told.filter(({ docs }) => docs === '').map(({ name }) => name)).toEqual([]);
  });

  it('names each word of schemas', () => {
    const page = renderReference(sdk);
    for (const { name } of sdk.schema) expect(page).toContain(`\`s.${name}\``);
  });
});
