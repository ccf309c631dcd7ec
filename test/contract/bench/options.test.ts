/** The flags of the bench and the templates it fills. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../bench/options.ts';
import { UPSTREAM_ANSWER } from '../../../bench/scenario.ts';
import { fillTemplate } from '../../../bench/subjects/start-nginx.ts';

describe('the flags', () => {
  it('default to all scenarios and subjects, one worker and 64 connections', () => {
    expect(parseOptions([])).toMatchObject({
      connections: 64,
      workers: 1,
      rounds: 3,
      scenarios: ['plain', 'three-plugins'],
      subjects: ['nginx', 'nginx-lua', 'tollgate', 'tollgate-traced', 'kong'],
    });
  });

  it('keep the order of the table, whatever the order given', () => {
    expect(parseOptions(['--subjects', 'tollgate,nginx'])).toMatchObject({ subjects: ['nginx', 'tollgate'] });
  });

  it.each([
    [['--seconds', '0'], '--seconds takes a whole number from 1 to 300'],
    [['--rounds', '1e3'], "not '1e3'"],
    [['--subjects', 'apache'], "'apache' is none of nginx"],
    [['--scenarios', ','], 'at least one of plain'],
    [['--name', '../x'], '--name may hold letters'],
    [['--second', '3'], '--second'],
  ])('%j are refused with the reason', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason);
  });
});

describe('the templates', () => {
  it('are refused with a place that has no value', () => {
    expect(fillTemplate('listen {{listen}};', { listen: 80 })).toBe('listen 80;');
    expect(() => fillTemplate('listen {{listen}};', {})).toThrow('{{listen}}');
  });

  it.each(['plain.conf', 'lua.conf'])(
    '%s forwards the same headers from every location that proxies',
    (file) => {
      const text = readFileSync(new URL(`../../../bench/nginx/${file}`, import.meta.url), 'utf8');
      const locations = text.split(/^ +location /m).filter((location) => location.includes('proxy_pass'));
      expect(locations).toHaveLength(2);
      for (const location of locations) expect(location).toContain('/forward.conf;');
    },
  );

  it('get an answer of 105 bytes that is JSON and needs no quoting', () => {
    expect(Buffer.byteLength(UPSTREAM_ANSWER)).toBe(105);
    expect(JSON.parse(UPSTREAM_ANSWER)).toHaveProperty('message');
    expect(UPSTREAM_ANSWER).not.toContain("'");
  });
});
