import { describe, expect, it } from 'vitest';
import { services } from '../../../../core/entities/services.ts';
import { fieldErrors, insertEntity, NOW_SECONDS, refusalOf, updateEntity } from './entity-outcome.ts';

const UUID = '4a7f8c1e-2b3d-4c5e-8f60-718293a4b5c6';

describe('a service', () => {
  it('is complete with every field of the schema', () => {
    expect(insertEntity(services, { id: UUID, host: 'a.test' })).toEqual({
      id: UUID,
      created_at: NOW_SECONDS,
      updated_at: NOW_SECONDS,
      name: null,
      retries: 5,
      protocol: 'http',
      host: 'a.test',
      port: 80,
      path: null,
      connect_timeout: 60000,
      write_timeout: 60000,
      read_timeout: 60000,
      tags: null,
      client_certificate: null,
      tls_verify: null,
      tls_verify_depth: null,
      ca_certificates: null,
      enabled: true,
    });
  });

  it('keeps an explicit null on an optional field that has a default', () => {
    expect(insertEntity(services, { host: 'a', retries: null })).toMatchObject({ retries: null });
    expect(fieldErrors(services, { host: 'a', port: null })).toEqual({ port: 'required field missing' });
  });

  it('sets updated_at itself and takes created_at as given', () => {
    const times = { created_at: 5, updated_at: 6 };
    expect(insertEntity(services, { host: 'a', ...times })).toMatchObject({
      created_at: 5,
      updated_at: NOW_SECONDS,
    });
  });

  it('is refused without a host', () => {
    expect(refusalOf(() => insertEntity(services, {}))).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { host: 'required field missing' },
      message: 'schema violation (host: required field missing)',
    });
  });

  it('is refused for a text in place of a number and for an unknown field', () => {
    expect(refusalOf(() => insertEntity(services, { host: 'a.test', port: '80', nope: 1 }))).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { nope: 'unknown field', port: 'expected an integer' },
      message: '2 schema violations (nope: unknown field; port: expected an integer)',
    });
  });

  it.each([
    [
      { name: 'a b' },
      { name: "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~" },
    ],
    [{ name: '' }, { name: 'length must be at least 1' }],
    [{ retries: 32768 }, { retries: 'value should be between 0 and 32767' }],
    [{ retries: 2.5 }, { retries: 'expected an integer' }],
    [
      { protocol: 'ftp' },
      { protocol: 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp' },
    ],
    [{ host: 'a.test:80' }, { host: 'must not have a port' }],
    [{ host: 'a:b:c' }, { host: 'invalid value: a:b:c' }],
    [{ host: 'bad-.test' }, { host: 'invalid value: bad-.test' }],
    [{ host: 1 }, { host: 'expected a string' }],
    [{ host: 'nul\0' }, { host: 'must be valid utf-8 without null characters' }],
    [{ path: 'x' }, { path: 'should start with: /' }],
    [{ path: '/a//b' }, { path: 'must not have empty segments' }],
    [
      { path: '/a b' },
      { path: "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)" },
    ],
    [{ path: '/%zz' }, { path: "invalid url-encoded value: '%zz'" }],
    [{ connect_timeout: 0 }, { connect_timeout: 'value should be between 1 and 2147483646' }],
    [{ id: 'x' }, { id: 'expected a valid UUID' }],
    [
      { tags: ['ok', 'a,b'] },
      {
        tags: [
          null,
          "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
        ],
      },
    ],
    [{ tags: 'x' }, { tags: 'expected a set' }],
    [{ ca_certificates: ['x'] }, { ca_certificates: ['expected a valid UUID'] }],
    [{ client_certificate: 'x', protocol: 'https' }, { client_certificate: { id: 'missing primary key' } }],
    [{ enabled: 'true' }, { enabled: 'expected a boolean' }],
    [{ ttl: 5 }, { ttl: 'unknown field' }],
  ])('is refused for %j', (input, fields) => {
    expect(fieldErrors(services, { host: 'a.test', ...input })).toEqual(fields);
  });

  it.each(['under_score.test', '127.0.0.1', '::1', '[::1]', 'my-upstream', 'a.b.c'])(
    'accepts the host %s',
    (host) => {
      expect(fieldErrors(services, { host })).toBeUndefined();
    },
  );

  it('has no path with a protocol that has none', () => {
    expect(refusalOf(() => insertEntity(services, { host: 'a', protocol: 'tcp', path: '/' }))).toMatchObject({
      message:
        "2 schema violations (failed conditional validation given value of field 'protocol'; path: value must be null)",
      fields: {
        '@entity': ["failed conditional validation given value of field 'protocol'"],
        path: 'value must be null',
      },
    });
  });

  it('has TLS settings with https and tls alone', () => {
    expect(fieldErrors(services, { host: 'a', tls_verify: true })).toMatchObject({
      tls_verify: 'value must be null',
    });
    expect(fieldErrors(services, { host: 'a', protocol: 'https', tls_verify: true })).toBeUndefined();
  });

  it('keeps tags in their order without duplicates', () => {
    expect(insertEntity(services, { host: 'a', tags: ['b', 'a', 'b'] })).toMatchObject({ tags: ['b', 'a'] });
  });
});

describe('the url of a service', () => {
  it.each([
    ['http://h.test', { protocol: 'http', host: 'h.test', port: 80, path: null }],
    ['https://h.test/x?y=1#z', { protocol: 'https', host: 'h.test', port: 443, path: '/x' }],
    ['http://u:p@h.test:81/', { protocol: 'http', host: 'h.test', port: 81, path: '/' }],
    ['//h.test:443/x', { protocol: 'https', host: 'h.test', port: 443, path: '/x' }],
    ['//h.test', { protocol: 'http', host: 'h.test', port: 80, path: null }],
    ['grpc://h.test:50051', { protocol: 'grpc', host: 'h.test', port: 50051, path: null }],
    ['http://[::1]:8080/a', { protocol: 'http', host: '::1', port: 8080, path: '/a' }],
  ])('%s is taken apart', (url, expected) => {
    const row = insertEntity(services, { url });
    expect(row).toMatchObject(expected);
    expect(row).not.toHaveProperty('url');
  });

  it('overwrites what stands beside it', () => {
    const row = insertEntity(services, {
      url: 'http://h.test',
      host: 'x',
      port: 1,
      path: '/p',
      protocol: 'https',
    });
    expect(row).toMatchObject({ protocol: 'http', host: 'h.test', port: 80, path: null });
  });

  it.each(['', ' ', 'foo'])('%j has no host', (url) => {
    expect(fieldErrors(services, { url })).toEqual({ host: 'required field missing' });
  });

  it('h.test:443 is read as a scheme and a path', () => {
    expect(fieldErrors(services, { url: 'h.test:443' })).toEqual({
      host: 'required field missing',
      path: 'should start with: /',
      protocol: 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp',
    });
  });

  it('must be a text', () => {
    expect(fieldErrors(services, { url: 7 })).toEqual({ url: 'expected a string' });
  });
});

describe('an update of a service', () => {
  const stored = insertEntity(services, { name: 'web', host: 'a.test', path: '/p', tags: ['a'] });

  it('changes nothing but updated_at when it is empty', () => {
    expect(updateEntity(services, stored, {})).toEqual({ ...stored, updated_at: NOW_SECONDS + 1 });
  });

  it('ignores an id, whatever it is', () => {
    expect(updateEntity(services, stored, { id: 'nonsense' }).id).toBe(stored.id);
  });

  it('clears the path by a url without one', () => {
    expect(updateEntity(services, stored, { url: 'http://b.test' })).toMatchObject({
      host: 'b.test',
      path: null,
    });
  });

  it('is checked together with what is stored', () => {
    expect(refusalOf(() => updateEntity(services, stored, { protocol: 'tcp' }))).toMatchObject({
      fields: { path: 'value must be null' },
    });
    expect(refusalOf(() => updateEntity(services, stored, { host: null }))).toMatchObject({
      fields: { host: 'required field missing' },
    });
  });
});
