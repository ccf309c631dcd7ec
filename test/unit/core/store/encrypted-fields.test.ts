import { describe, expect, it } from 'vitest';
import type { EntityRow } from '../../../../core/entities/define-entity.ts';
import { pluginEntity } from '../../../../core/entities/plugins.ts';
import { type FieldCipher, openRow, sealRow } from '../../../../core/store/encrypted-fields.ts';
import { s } from '../../../../sdk/schema/index.ts';
import { insertEntity } from '../entities/entity-outcome.ts';

const CIPHER: FieldCipher = {
  hasKey: true,
  seal: (text, context) => `sealed ${context} ${text}`,
  open: (text, context) => text.replace(`sealed ${context} `, ''),
};

const schema = s.config({
  secret: s.string({ encrypted: true }),
  open: s.string(),
  list: s.array(s.string(), { encrypted: true }),
  inner: s.record({ secret: s.string({ encrypted: true }), open: s.string() }),
  records: s.array(s.record({ secret: s.string({ encrypted: true }) })),
  headers: s.map(s.string(), s.string(), { encrypted: true }),
});
const renamed = s.config(
  { redis: s.record({ password: s.string({ encrypted: true }) }, { required: true }) },
  {
    shorthands: {
      redis_password: s.deprecated(s.string(), ['redis', 'password'], {
        message: 'use redis.password',
        removal_in_version: '4.0',
      }),
    },
  },
);
const entity = pluginEntity({
  get: (name) => ({ name, configSchema: name === 'renamed' ? renamed : schema }),
  names: () => [],
});
const make = (name: string, config: Record<string, unknown>): EntityRow =>
  insertEntity(entity, { name, config });

describe('sealing a row', () => {
  it('reaches every marked text, however deep, and nothing else', () => {
    const config = {
      secret: 'a',
      open: 'b',
      list: ['c', 'd'],
      inner: { secret: 'e', open: 'f' },
      records: [{ secret: 'g' }],
      headers: { x: 'h' },
    };
    const row = make('some', config);
    const sealed = sealRow(entity, row, CIPHER);
    const at = (path: string) => `sealed plugins/${row.id}.config.${path}`;
    expect(sealed).toEqual({
      ...row,
      config: {
        secret: `${at('secret')} a`,
        open: 'b',
        list: [`${at('list')} c`, `${at('list')} d`],
        inner: { secret: `${at('inner.secret')} e`, open: 'f' },
        records: [{ secret: `${at('records.secret')} g` }],
        headers: { x: `${at('headers.x')} h` },
      },
    });
    expect(openRow('plugins', row.id, sealed, CIPHER)).toEqual(row);
    expect(openRow('plugins', row.id, row, CIPHER)).toBe(row);
  });

  it('leaves what is not there', () => {
    const row = make('some', {});
    expect(sealRow(entity, row, CIPHER)).toEqual(row);
  });

  it('knows deprecated spellings of what is marked', () => {
    const row = make('renamed', { redis_password: 'hush' });
    expect(JSON.stringify(row).match(/hush/g)).toHaveLength(2);
    const sealed = sealRow(entity, row, CIPHER);
    expect(JSON.stringify(sealed).match(/sealed \S+ hush/g)).toHaveLength(2);
    expect(openRow('plugins', row.id, sealed, CIPHER)).toEqual(row);
  });
});
