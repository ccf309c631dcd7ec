/** Decisions are referred to by number: each has one of its own, and says it in its title. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = new URL('../../../core/decisions/', import.meta.url);
const files = readdirSync(FOLDER);

describe('decisions', () => {
  it('have numbers without gaps and without doubles', () => {
    const numbers = files.map((name) => Number(name.slice(0, 4))).sort((a, b) => a - b);
    expect(numbers).toEqual(files.map((_, at) => at + 1));
  });

  it.each(files)('%s begins with its number', (name) => {
    const title = readFileSync(new URL(name, FOLDER), 'utf8').split('\n', 1)[0];
    expect(title).toMatch(new RegExp(`^# ${name.slice(0, 4)}\\b`));
  });
});
