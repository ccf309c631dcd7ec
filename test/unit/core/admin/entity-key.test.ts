import { describe, expect, it } from 'vitest';
import { keyNotFound, readEntityKey } from '../../../../core/admin/entity-key.ts';
import { consumers } from '../../../../core/entities/consumers.ts';
import type { EntityDefinition } from '../../../../core/entities/define-entity.ts';
import { services } from '../../../../core/entities/services.ts';

const ID = '5f5f5f5f-AAAA-0f5f-0f5f-5f5f5f5f5f5f';

describe('a path segment (contract/admin-api.md section 2.1)', () => {
  it('that looks like a UUID of any version and case is an id', () => {
    expect(readEntityKey(services, ID)).toEqual({ kind: 'id', id: ID.toLowerCase() });
  });

  it('is the endpoint key otherwise', () => {
    expect(readEntityKey(consumers, 'a b')).toEqual({ kind: 'unique', field: 'username', value: 'a b' });
  });

  it('that breaks the rule of the key field is code 10', () => {
    expect(() => readEntityKey(services, 'a b')).toThrowError(
      expect.objectContaining({ code: 10, errorName: 'invalid unique name', fields: undefined }),
    );
  });

  it('must be an id where there is no key field', () => {
    const { endpointKey: _none, ...withoutKey }: EntityDefinition = services;
    expect(() => readEntityKey(withoutKey, 'web')).toThrowError(
      expect.objectContaining({
        code: 1,
        message: `invalid primary key: '{id="expected a valid UUID"}'`,
        fields: { id: 'expected a valid UUID' },
      }),
    );
  });

  it('that means nothing is quoted back', () => {
    expect(keyNotFound({ kind: 'id', id: 'x' }).message).toBe(
      `could not find the entity with primary key '{id="x"}'`,
    );
    expect(keyNotFound({ kind: 'unique', field: 'name', value: 'web' }).message).toBe(
      `could not find the entity with '{name="web"}'`,
    );
  });
});
