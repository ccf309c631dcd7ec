import { describe, expect, it } from 'vitest';
import { issueCertificate } from '../../../../core/crypto/issue-certificate.ts';
import { completeForInsert } from '../../../../core/entities/complete-entity.ts';
import { describeEntity } from '../../../../core/entities/describe-entity.ts';
import { listEntities } from '../../../../core/entities/registry.ts';
import { insertEntity, NOW_SECONDS, updateEntity } from './entity-outcome.ts';
import { rateLimiting } from './rate-limiting-schema.ts';

const limiter = { name: 'rate-limiting', configSchema: rateLimiting };
const entities = listEntities({
  get: (name) => (name === limiter.name ? limiter : undefined),
  names: () => [limiter.name],
});
const reference = { id: '4a7f8c1e-2b3d-4c5e-8f60-718293a4b5c6' };
const pair = await issueCertificate({ commonName: 'a.test', names: ['a.test'], validDays: 1 });
const authority = await issueCertificate({
  commonName: 'ca',
  names: ['ca'],
  validDays: 1,
  isAuthority: true,
});
const SAMPLES: Readonly<Record<string, Record<string, unknown>>> = {
  services: { url: 'https://a.test/x', name: 'web', tags: ['a'], tls_verify: true },
  routes: { hosts: ['*.a.test'], paths: ['~/x'], headers: { a: ['b'] }, service: reference },
  consumers: { username: 'bob' },
  plugins: { name: 'rate-limiting', config: { minute: 5, redis_host: 'r.test' }, service: reference },
  keyauth_credentials: { consumer: reference },
  basicauth_credentials: { consumer: reference, username: 'bob', password: 'secret' },
  jwt_secrets: { consumer: reference, algorithm: 'HS512' },
  acls: { consumer: reference, group: 'gold' },
  upstreams: { name: 'web', hash_on: 'header', hash_on_header: 'x-user', tags: ['a'] },
  targets: { upstream: reference, target: '10.0.0.1:80', weight: 5 },
  certificates: { ...pair, tags: ['a'] },
  snis: { name: '*.a.test', certificate: reference },
  ca_certificates: { cert: authority.cert },
};

describe.each(entities.map((entity) => [entity.name, entity] as const))('%s', (name, entity) => {
  const input = SAMPLES[name] ?? {};

  it('come back unchanged when an answer is sent again', () => {
    const row = insertEntity(entity, input);
    expect(insertEntity(entity, row)).toEqual(row);
    const expected = 'updated_at' in row ? { ...row, updated_at: NOW_SECONDS + 1 } : row;
    expect(updateEntity(entity, row, row)).toEqual(expected);
  });

  it('show every field of their schema', () => {
    const row = completeForInsert(entity, input, NOW_SECONDS);
    expect(Object.keys(row).sort()).toEqual(Object.keys(entity.fields).sort());
    for (const value of Object.values(row)) expect(value).not.toBeUndefined();
  });

  it('start with their id and are found by a unique field', () => {
    expect(Object.keys(entity.fields)[0]).toBe('id');
    if (entity.endpointKey)
      expect(entity.fields[entity.endpointKey]).toMatchObject({ type: 'string', unique: true });
  });

  it('are nested below fields that refer to entities that exist', () => {
    for (const field of Object.keys(entity.nestedNames)) {
      const definition = entity.fields[field];
      const target = definition?.type === 'foreign' ? definition.reference : undefined;
      expect(entities.map((known) => known.name)).toContain(target);
    }
  });

  it('are described without functions', () => {
    const document = describeEntity(entity);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
