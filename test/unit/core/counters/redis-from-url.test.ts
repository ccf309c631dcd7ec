import { expect, it } from 'vitest';
import { redisFromUrl } from '../../../../core/counters/redis-from-url.ts';

const PLAIN = { port: null, username: null, password: null, database: 0, ssl: false, ssl_verify: false };

it.each([
  ['redis://cache.test', { ...PLAIN, host: 'cache.test' }],
  ['redis://cache.test:7000/', { ...PLAIN, host: 'cache.test', port: 7000 }],
  ['redis://[2001:db8::1]:7000/4', { ...PLAIN, host: '2001:db8::1', port: 7000, database: 4 }],
  ['redis://:p%40ss%2Fword@cache.test', { ...PLAIN, host: 'cache.test', password: 'p@ss/word' }],
  [
    'rediss://user:word@cache.test:6380/1',
    {
      host: 'cache.test',
      port: 6380,
      username: 'user',
      password: 'word',
      database: 1,
      ssl: true,
      ssl_verify: true,
    },
  ],
])('reads %s', (url, settings) => {
  expect(redisFromUrl(url)).toEqual(settings);
});
