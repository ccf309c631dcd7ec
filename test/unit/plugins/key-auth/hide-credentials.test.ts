import { describe, expect, it } from 'vitest';
import { hideCredentials } from '../../../../plugins/key-auth/hide-credentials.ts';

type Kong = Parameters<typeof hideCredentials>[0];
type Body = Parameters<typeof hideCredentials>[2];

/** What is asked of the upstream request, in order. */
function hide(name: string, query: Readonly<Record<string, string>>, body?: Body): unknown[][] {
  const done: unknown[][] = [];
  const record =
    (operation: string) =>
    (...args: unknown[]) =>
      done.push([operation, ...args]);
  const kong = {
    request: { getQueryArg: (asked: string) => query[asked] },
    service: {
      request: {
        clearHeader: record('clearHeader'),
        clearQueryArg: record('clearQueryArg'),
        setBody: record('setBody'),
      },
    },
  };
  hideCredentials(kong as unknown as Kong, name, body);
  return done;
}

describe('hiding a key', () => {
  it('clears the header, and the query only where it holds the name', () => {
    expect(hide('key', {})).toEqual([['clearHeader', 'key']]);
    expect(hide('key', { key: 'k' })).toEqual([
      ['clearHeader', 'key'],
      ['clearQueryArg', 'key'],
    ]);
  });

  it('clears both spellings a name with _ is found by', () => {
    expect(hide('api_key', {})).toEqual([
      ['clearHeader', 'api_key'],
      ['clearHeader', 'api-key'],
    ]);
  });

  it('writes the body anew only where it holds the name', () => {
    const mime = 'application/json' as const;
    expect(hide('key', {}, { mime, fields: { a: 1, key: 'k' } })).toContainEqual(['setBody', { a: 1 }, mime]);
    expect(hide('key', {}, { mime, fields: { a: 1 } })).toEqual([['clearHeader', 'key']]);
    expect(hide('key', {}, { mime, fields: undefined })).toEqual([['clearHeader', 'key']]);
  });
});
