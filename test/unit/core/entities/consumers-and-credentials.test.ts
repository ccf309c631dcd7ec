import { describe, expect, it } from 'vitest';
import { coerceEntityForm } from '../../../../core/entities/coerce-entity-form.ts';
import { consumers } from '../../../../core/entities/consumers.ts';
import { keyauthCredentials } from '../../../../core/entities/keyauth-credentials.ts';
import { readTtlSeconds } from '../../../../core/entities/read-ttl-seconds.ts';
import { services } from '../../../../core/entities/services.ts';
import { fieldErrors, insertEntity, refusalOf, updateEntity } from './entity-outcome.ts';

const consumer = { id: '4a7f8c1e-2b3d-4c5e-8f60-718293a4b5c6' };

describe('a consumer', () => {
  const text = "at least one of these fields must be non-empty: 'custom_id', 'username'";

  it('needs one of its two names', () => {
    expect(refusalOf(() => insertEntity(consumers, {}))?.['message']).toBe(`schema violation (${text})`);
    expect(fieldErrors(consumers, { custom_id: '7' })).toBeUndefined();
  });

  it('is told that it is an update that takes them away', () => {
    const stored = insertEntity(consumers, { username: 'bob' });
    expect(refusalOf(() => updateEntity(consumers, stored, { username: null }))).toMatchObject({
      message: `schema violation (when updating, ${text})`,
      fields: { '@entity': [`when updating, ${text}`] },
    });
  });

  it('may have any characters in its name', () => {
    expect(fieldErrors(consumers, { username: 'a b/ü,*' })).toBeUndefined();
  });
});

describe('an API key', () => {
  it('is generated when none is given', () => {
    const keys = Array.from({ length: 20 }, () => insertEntity(keyauthCredentials, { consumer })['key']);
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(new Set(keys).size).toBe(20);
    expect(insertEntity(keyauthCredentials, { consumer, key: ' mine ' })['key']).toBe(' mine ');
  });

  it('belongs to a consumer', () => {
    expect(refusalOf(() => insertEntity(keyauthCredentials, {}))?.['message']).toBe(
      'schema violation (consumer: required field missing)',
    );
    expect(fieldErrors(keyauthCredentials, { consumer, key: 1 })).toEqual({ key: 'expected a string' });
  });

  it('has no updated_at', () => {
    expect(insertEntity(keyauthCredentials, { consumer })).not.toHaveProperty('updated_at');
    expect(fieldErrors(keyauthCredentials, { consumer, updated_at: 1 })).toEqual({
      updated_at: 'unknown field',
    });
  });

  it('has a ttl that is no field of the row', () => {
    expect(insertEntity(keyauthCredentials, { consumer, ttl: 5 })).not.toHaveProperty('ttl');
    expect(readTtlSeconds(keyauthCredentials, { ttl: 5 })).toBe(5);
    expect(readTtlSeconds(keyauthCredentials, { ttl: null })).toBeUndefined();
    expect(readTtlSeconds(keyauthCredentials, {})).toBeUndefined();
    expect(readTtlSeconds(services, { ttl: 'x' })).toBeUndefined();
  });

  it.each([-1, 100_000_001, 1.5, 'x'])('refuses the ttl %j', (ttl) => {
    expect(refusalOf(() => readTtlSeconds(keyauthCredentials, { ttl }))).toEqual({
      code: 11,
      name: 'invalid options',
      message: 'invalid option (ttl: must be an integer between 0 and 100000000)',
      options: { ttl: 'must be an integer between 0 and 100000000' },
    });
  });
});

describe('a form', () => {
  it('gets the types of the entity, its shorthands and its ttl', () => {
    expect(coerceEntityForm(keyauthCredentials, { ttl: '60', key: '', tags: 'a' })).toEqual({
      ttl: 60,
      key: null,
      tags: ['a'],
    });
    expect(
      coerceEntityForm(services, { url: '', retries: '2', nope: '', client_certificate: { id: '' } }),
    ).toEqual({
      url: null,
      retries: 2,
      nope: '',
      client_certificate: { id: null },
    });
  });
});
