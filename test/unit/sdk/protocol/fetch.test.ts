import { describe, expect, it } from 'vitest';
import { checkFetchArgument } from '../../../../sdk/protocol/fetch.ts';

const GIVEN = { url: 'https://a/', method: 'GET', headers: [], body: null, timeoutMs: 1000 };

describe('what a guest wants to have fetched', () => {
  it('is passed on when it is as it should be', () => {
    expect(checkFetchArgument(GIVEN)).toEqual({ ...GIVEN, followsRedirects: true });
  });

  it.each([
    [{ url: 7 }, 'url must be a text'],
    [{ url: 'x'.repeat(9000) }, 'url is longer than 8192 characters'],
    [{ method: 'get' }, 'method must be among GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
    [{ body: 'x'.repeat(1024 * 1024 + 1) }, 'body is longer than 1048576 bytes'],
    [{ body: {} }, 'body must be a text'],
    [{ headers: ['a'] }, 'headers must be up to 64 names and values'],
    [{ headers: new Array(130).fill('a') }, 'headers must be up to 64 names and values'],
    [{ headers: ['a', 'ž'] }, "the header 'a' has no valid value"],
    [{ headers: ['a', 'b\0'] }, "the header 'a' has no valid value"],
    [{ timeoutMs: 0 }, 'timeoutMs must be a whole number up to 30000'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs must be a whole number up to 30000'],
  ])('is refused with %j', (change, message) => {
    expect(() => checkFetchArgument({ ...GIVEN, ...change })).toThrow(message);
  });
});
