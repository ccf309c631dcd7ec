import { describe, expect, it } from 'vitest';
import { createPathTable } from '../../../../core/admin/path-table.ts';

const TEMPLATES = [
  '/',
  '/plugins',
  '/plugins/{plugins}',
  '/plugins/enabled',
  '/plugins/{plugins}/route',
  '/tags/{tags}',
];
const table = createPathTable(TEMPLATES.map((template) => ({ template, methods: {} })));

const found = (path: string) => {
  const match = table.find(path);
  return match && [match.endpoint.template, ...match.captures];
};

describe('the path table (contract/admin-api.md section 1.3)', () => {
  it.each([
    ['/', ['/']],
    ['/plugins', ['/plugins']],
    ['/plugins/', ['/plugins']],
    ['/plugins/cors', ['/plugins/{plugins}', 'cors']],
    ['/plugins/cors/', ['/plugins/{plugins}', 'cors']],
    ['/plugins/enabled', ['/plugins/enabled']],
    ['/plugins/enabled/route', ['/plugins/{plugins}/route', 'enabled']],
    ['/tags/a%2Fb', ['/tags/{tags}', 'a%2Fb']],
    ['/plugins/%65nabled', ['/plugins/{plugins}', '%65nabled']],
  ])('finds the endpoint of %s', (path, expected) => {
    expect(found(path)).toEqual(expected);
  });

  it.each(['/plugin', '/plugins//route', '//', '/plugins/a/b', '/tags', '/tags//', '*', '/PLUGINS'])(
    'finds nothing for %s',
    (path) => {
      expect(found(path)).toBeUndefined();
    },
  );

  it('refuses two endpoints that differ only in the names of captures', () => {
    const endpoints = ['/a/{b}', '/a/{c}'].map((template) => ({ template, methods: {} }));
    expect(() => createPathTable(endpoints)).toThrow('two endpoints for /a/{c}');
  });
});
