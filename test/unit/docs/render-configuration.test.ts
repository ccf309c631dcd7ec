import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fillConfiguration, renderConfiguration } from '../../../core/docs/render-configuration.ts';
import { s } from '../../../sdk/index.ts';
import type { RecordField } from '../../../sdk/schema/fields.ts';

const ROOT = new URL('../../../', import.meta.url);
const READMES = globSync('plugins/*/README.md', { cwd: ROOT }).toSorted();

it.each(READMES)(
  '%s has the table of its schema, each field with its meaning (npm run docs writes it)',
  async (path) => {
    const readme = readFileSync(new URL(path, ROOT), 'utf8');
    const { default: plugin } = (await import(new URL(path.replace('README.md', 'index.ts'), ROOT).href)) as {
      readonly default: { readonly schema: RecordField };
    };
    expect(readme).toBe(fillConfiguration(readme, plugin.schema));
  },
);

it('tells type, default and meaning of each field, records before what is in them', () => {
  const schema = s.config(
    {
      mode: s.enum(['a', 'b'], { default: 'a', description: 'Either | or.' }),
      limit: s.integer({ required: true, between: [1, 9] }),
      names: s.set(s.headerName(), { default: [] }),
      redis: s.record({ password: s.string({ referenceable: true, description: 'Kept secret.' }) }),
      rules: s.record({ on: s.boolean() }, { description: 'What holds.' }),
      tags: s.map(s.string(), s.number({ gt: 0 })),
    },
    {
      checks: [s.atLeastOneOf('names', 'tags')],
      shorthands: {
        password: s.deprecated(s.string(), ['redis', 'password'], { message: '', removal_in_version: '4.0' }),
      },
    },
  );
  expect(renderConfiguration(schema).split('\n').slice(2)).toEqual([
    '| `mode` | `a`, `b` | `a` | Either \\| or. |',
    '| `limit` | integer, 1…9 | **required** |  |',
    '| `names` | set of header name | `[]` |  |',
    '| `redis.password` | string | none | Kept secret. May be `{vault://…}`. |',
    '| `rules` | record of `on` |  | What holds. |',
    '| `rules.on` | boolean | none |  |',
    '| `tags` | map of string to number, above 0 | none |  |',
    '',
    'At least one of `names`, `tags` has to be given.',
    'Older names are accepted too: `password` for `redis.password`.',
    '',
  ]);
});

it('leaves everything around the table as it is, and puts one at the end where there is none', () => {
  const first = fillConfiguration('# one\n\nwords\n', s.config({ a: s.string() }));
  expect(first).toMatch(/^# one\n\nwords\n\n## Configuration\n\n<!-- config[\s\S]*\| `a` \|/);
  const second = fillConfiguration(`${first}\nmore $& words\n`, s.config({ b: s.string() }));
  expect(second).toContain('| `b` |');
  expect(second).not.toContain('| `a` |');
  expect(second).toMatch(/more \$& words\n$/);
  expect(fillConfiguration(second, s.config({ b: s.string() }))).toBe(second);
});
