import { describe, expect, it } from 'vitest';
import { routes } from '../../../../core/entities/routes.ts';
import { fieldErrors, insertEntity, refusalOf, updateEntity } from './entity-outcome.ts';

describe('a route', () => {
  it('is complete with every field of the schema', () => {
    const {
      id: _id,
      created_at: _created,
      updated_at: _updated,
      ...row
    } = insertEntity(routes, { paths: ['/'] });
    expect(row).toEqual({
      name: null,
      protocols: ['http', 'https'],
      methods: null,
      hosts: null,
      paths: ['/'],
      headers: null,
      https_redirect_status_code: 426,
      regex_priority: 0,
      strip_path: true,
      path_handling: 'v0',
      preserve_host: false,
      request_buffering: true,
      response_buffering: true,
      tags: null,
      service: null,
      snis: null,
      sources: null,
      destinations: null,
    });
  });

  it('must say something of the request', () => {
    const text = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
    expect(refusalOf(() => insertEntity(routes, {}))).toEqual({
      code: 2,
      name: 'schema violation',
      fields: { '@entity': [text] },
      message: `schema violation (${text})`,
    });
  });

  it.each([
    [['https'], "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'"],
    [['http'], "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"],
    [['grpcs'], "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'"],
    [['grpc'], "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'"],
    [
      ['tcp', 'udp'],
      "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'",
    ],
    [['tls_passthrough'], "must set snis when 'protocols' is 'tls_passthrough'"],
  ])('with %j must say one of the things these protocols have', (protocols, text) => {
    expect(fieldErrors(routes, { protocols })).toEqual({ '@entity': [text] });
    expect(fieldErrors(routes, { protocols, paths: [], headers: {} })).toEqual({ '@entity': [text] });
  });

  it.each([
    [
      { protocols: ['http'], paths: ['/'], sources: [{ port: 1 }] },
      { sources: "cannot set 'sources' when 'protocols' is 'http' or 'https'" },
    ],
    [
      { protocols: ['grpc'], paths: ['/'], methods: ['GET'] },
      { methods: "cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'" },
    ],
    [
      { protocols: ['tcp'], paths: ['/'], sources: [{ port: 1 }] },
      { paths: "cannot set 'paths' when 'protocols' is 'tcp', 'tls', 'tls_passthrough' or 'udp'" },
    ],
    [
      { protocols: ['grpc'], paths: ['/'], strip_path: true },
      { strip_path: "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'" },
    ],
    [{ protocols: ['nope'], name: 'a b' }, { protocols: 'unknown type: nope' }],
    [
      { protocols: ['http', 'nope'], paths: ['/'] },
      { protocols: [null, 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp'] },
    ],
    [
      { protocols: ['http', 'tcp'], paths: ['/'] },
      { protocols: "these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')" },
    ],
    [{ protocols: [], paths: ['/'] }, { protocols: 'length must be at least 1' }],
    [{ protocols: null, paths: ['/'] }, { protocols: 'required field missing' }],
    [{ methods: ['get'] }, { methods: ['invalid value: get'] }],
    [{ hosts: ['a.test', 'a_b-.c'] }, { hosts: [null, 'invalid hostname: a_b-.c'] }],
    [{ hosts: ['a.test:99999'] }, { hosts: ['invalid port number'] }],
    [{ hosts: ['*.a.*'] }, { hosts: ['invalid wildcard: must have at most one wildcard'] }],
    [{ hosts: ['a.*.b'] }, { hosts: ['invalid wildcard: must be placed at leftmost or rightmost label'] }],
    [{ hosts: ['a.test,b.test'] }, { hosts: ['invalid hostname: a.test,b.test'] }],
    [{ paths: ['x'] }, { paths: ['should start with: / (fixed path) or ~/ (regex path)'] }],
    [{ paths: ['~/a//b'] }, { paths: ['must not have empty segments'] }],
    [{ paths: ['/x/../y'] }, { paths: ["non-normalized path, consider use '/y' instead"] }],
    [{ paths: ['/a%58b'] }, { paths: ["non-normalized path, consider use '/aXb' instead"] }],
    [{ paths: ['/a%2fb'] }, { paths: ["non-normalized path, consider use '/a%2Fb' instead"] }],
    [{ paths: ['/%zz'] }, { paths: ["invalid url-encoded value: '%zz'"] }],
    [
      { paths: ['~/(?=a)'] },
      { paths: ["invalid regex: '/(?=a)' (PCRE returned: look-around is not supported)"] },
    ],
    [
      { paths: ['~/(a)\\1'] },
      { paths: ["invalid regex: '/(a)\\1' (PCRE returned: back-references are not supported)"] },
    ],
    [
      { paths: ['/'], headers: { HoSt: ['a'] } },
      { headers: "cannot contain 'host' header, which must be specified in the 'hosts' attribute" },
    ],
    [
      { paths: ['/'], headers: { 'x y': ['a'] } },
      { headers: { 'x y': "bad header name 'x y', allowed characters are A-Z, a-z, 0-9, '_', and '-'" } },
    ],
    [{ paths: ['/'], headers: { x: 'a' } }, { headers: { x: 'expected an array' } }],
    [{ snis: ['1.2.3.4'] }, { snis: ['must not be an IP'] }],
    [{ snis: ['a.test:1'] }, { snis: ['must not have a port'] }],
    [{ paths: ['/'], service: 'abc' }, { service: { id: 'missing primary key' } }],
    [{ paths: ['/'], service: { id: 'abc' } }, { service: { id: 'expected a valid UUID' } }],
    [
      { paths: ['/'], https_redirect_status_code: 300 },
      { https_redirect_status_code: 'expected one of: 426, 301, 302, 307, 308' },
    ],
    [{ paths: ['/'], expression: 'x' }, { expression: 'unknown field' }],
    [
      { protocols: ['tcp'], sources: [{}] },
      { sources: [{ '@entity': ["at least one of these fields must be non-empty: 'ip', 'port'"] }] },
    ],
    [{ protocols: ['tcp'], sources: [{ ip: 'x' }] }, { sources: [{ ip: "invalid ip or cidr range: 'x'" }] }],
  ])('is refused for %j', (input, fields) => {
    expect(fieldErrors(routes, input)).toEqual(fields);
  });

  it.each([
    { paths: ['/a b', '/', '/a%2Fb', '/円'] },
    { paths: ['~/a/(?<n>\\d+)$', '~/(?P<n>x)'] },
    { hosts: ['*.a.test', 'a.*', 'a.test:8080', '10.0.0.1', '*.a.test:80'] },
    { snis: ['*.a.test'] },
    { protocols: ['tls'], sources: [{ ip: '10.0.0.0/8' }, { port: 80 }] },
    { paths: ['/'], regex_priority: 2 ** 53 },
    { paths: ['/'], sources: [] },
  ])('accepts %j', (input) => {
    expect(fieldErrors(routes, input)).toBeUndefined();
  });

  it('counts children of a field once each', () => {
    expect(
      refusalOf(() => insertEntity(routes, { protocols: ['http', 'a', 'b'], paths: ['/'] }))?.['message'],
    ).toMatch(/^2 schema violations \(protocols\.2: expected one of: .*; protocols\.3: expected one of: /);
  });

  it('has SNIs with TLS alone', () => {
    expect(fieldErrors(routes, { protocols: ['http'], paths: ['/'], snis: ['a.test'] })).toEqual({
      '@entity': ["'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'"],
      snis: 'length must be 0',
    });
  });

  it('does not strip the path of gRPC unless told otherwise', () => {
    expect(insertEntity(routes, { protocols: ['grpc'], paths: ['/'] })).toMatchObject({ strip_path: false });
  });

  it('replaces headers whole when updated', () => {
    const stored = insertEntity(routes, { paths: ['/'], headers: { a: ['1'] } });
    expect(updateEntity(routes, stored, { headers: { b: ['2'] } })).toMatchObject({ headers: { b: ['2'] } });
  });

  it('gives no update prefix to its texts', () => {
    const stored = insertEntity(routes, { paths: ['/'] });
    expect(refusalOf(() => updateEntity(routes, stored, { paths: null }))?.['message']).toMatch(
      /^schema violation \(must set one of/,
    );
  });
});
