import { describe, expect, it } from 'vitest';
import { checkManifest } from '../../../../core/sandbox/check-manifest.ts';
import { PROTOCOL_VERSION } from '../../../../sdk/protocol/version.ts';
import { s } from '../../../../sdk/schema/index.ts';

function check(change: Readonly<Record<string, unknown>>): string | undefined {
  const plugin = {
    name: 'p',
    aliases: [],
    version: '1.0.0',
    priority: 1,
    phases: ['access'],
    scopes: ['global'],
    protocols: ['http'],
    schema: s.config({}),
    capabilities: {},
    metrics: {},
    logRecord: 'full',
    responseNeeds: '',
    ...change,
  };
  return checkManifest({ protocolVersion: PROTOCOL_VERSION, plugins: [plugin] });
}

describe('the manifest of a stranger', () => {
  it('may list whom a plugin asks', () => {
    expect(
      check({ capabilities: { egress: ['https://api.example.com', 'https://*.example.org', '10.0.0.0/8'] } }),
    ).toBe(undefined);
  });

  it.each([[['*']], [['https://*']], ['https://a'], [[7]], [new Array(65).fill('https://a')]])(
    'may not list everybody, or what is no list: %j',
    (egress) => {
      expect(check({ capabilities: { egress } })).toBe(
        "plugin 'p': capabilities.egress must be up to 64 origins or ranges of addresses",
      );
    },
  );

  it.each([
    [{ kind: 'custom' }],
    [{ kind: 'at_least_one_of' }],
    [{ kind: 'at_least_one_of', fields: [1] }],
    [{ kind: 'mutually_exclusive_sets', set1: ['a'] }],
    [{ kind: 'conditional', if_field: 'a', if_match: {}, then_field: 'b' }],
    [{ kind: 'conditional', if_field: 'a', if_match: { match: '(' }, then_field: 'b', then_match: {} }],
    [{ kind: 'record_rule', when: { field: 'a' }, err: 'e' }],
    [{ kind: 'toString' }],
  ])('may not have the rule %j', (rule) => {
    const schema = { ...s.config({}), checks: [rule] };
    expect(check({ schema })).toBe("plugin 'p': schema.checks is no list of rules");
  });

  it('may have every rule that can be written', () => {
    const checks = [
      s.atLeastOneOf('a'),
      s.mutuallyExclusiveSets(['a'], ['b']),
      s.conditional('a', { match: '^a' }, 'b', { required: true }, { unlessAnyOf: ['c'] }),
      s.conditionalAtLeastOneOf('a', { eq: 1 }, ['b']),
      s.nonDecreasing(['a', 'b'], 'limit'),
      s.recordRule({ field: 'a', match: { eq: 1 } }, { field: 'b', match: {} }, 'no'),
    ];
    expect(check({ schema: s.config({}, { checks }) })).toBe(undefined);
  });

  it.each([
    [{ match: '(' }, 'match'],
    [{ match_any: ['a', '('] }, 'match_any'],
    [{ match_all: [{ pattern: '(', err: 'e' }] }, 'match_all'],
    [{ match_none: 7 }, 'match_none'],
    [{ match_all: ['a'] }, 'match_all'],
    // Read with the flag u, this is none.
    [{ not_match: '\\-' }, 'not_match'],
  ])('may not have patterns that are none: %j', (attributes, name) => {
    const schema = { type: 'record', fields: { key: { type: 'string', ...attributes } } };
    expect(check({ schema })).toBe(`plugin 'p': schema.key.${name} is no regular expression`);
  });

  it.each([
    [{ key: s.string({ referenceable: true, default: '{vault://env/DATABASE_URL}' }) }, 'schema.key'],
    [
      { keys: s.array(s.string({ referenceable: true }), { default: ['{vault://env/DATABASE_URL}'] }) },
      'schema.keys',
    ],
  ])('may not name a secret of the operator in a default', (fields, path) => {
    expect(check({ schema: s.config(fields) })).toBe(`plugin 'p': ${path}.default names a secret`);
  });
});

describe('the name of a stranger', () => {
  it('may not be something that cannot be made a text', () => {
    expect(check({ name: { toString: 'p' } })).toBe(
      `plugin '{"toString":"p"}': name must be lower case letters, digits and dashes`,
    );
  });
});

describe('the entities of a stranger', () => {
  const ENTITY = {
    name: 'things',
    adminApiName: 'things',
    adminApiNestedName: 'things',
    fields: { consumer: s.foreign('consumers'), key: s.string({ unique: true }) },
    checks: [],
    tags: false,
    ttl: false,
    generateAdminApi: true,
    revision: 1,
  };
  const problemOf = (change: Readonly<Record<string, unknown>>) =>
    check({ entities: [{ ...ENTITY, ...change }] })?.replace(/^plugin 'p': entity '.*?': /, '');
  const withField = (field: unknown) => problemOf({ fields: { ...ENTITY.fields, field } });

  it('may have a key, references and a way into the Admin API', () => {
    expect(problemOf({ endpointKey: 'key', adminApiName: 'the-things' })).toBe(undefined);
  });

  it.each([
    ['Things'],
    ['thing-s'],
    ['a; drop table plugins'],
    ["it's"],
    ['_x'],
    [''],
    ['x'.repeat(64)],
    [7],
    [null],
    [{ toString: 'things' }],
  ])('may not be named %j', (name) => {
    expect(problemOf({ name })).toBe('name must be lower case letters, digits and underscores');
  });

  it.each([['/'], ['..'], ['a/b'], ['{x}'], ['A'], ['%2e'], [undefined]])(
    'may not be found at %j',
    (name) => {
      const text = 'paths must be lower case letters, digits, dashes and underscores';
      expect(problemOf({ adminApiName: name })).toBe(text);
      expect(problemOf({ adminApiNestedName: name })).toBe(text);
    },
  );

  it.each([['id'], ['ttl'], ['tags'], ['created_at'], ['a=b'], ['__proto__x'], ['A'], ['x'.repeat(64)]])(
    'may not have a field %j',
    (name) => {
      expect(problemOf({ fields: { [name]: s.string() } })).toBe(`'${name}' is no name for a field`);
    },
  );

  it.each([
    [s.foreign('plugins'), 'field may refer to consumers, services, routes only'],
    [s.foreign('consumers'), 'two fields refer to the same entity'],
    [s.foreign('routes', { on_delete: 'restrict' }), 'field must have the on_delete cascade, or none'],
    [s.foreign('routes', { unique: true }), 'field is a reference, and can be neither unique nor auto'],
    [s.integer({ unique: true }), 'field can be unique or auto only as a string'],
    [s.integer({ auto: true }), 'field can be unique or auto only as a string'],
    [s.string({ unique: true, encrypted: true }), 'field cannot be unique and encrypted'],
    [s.record({ a: s.string({ unique: true }) }), 'field holds parts that are unique, auto or references'],
    [s.array(s.foreign('consumers')), 'field holds parts that are unique, auto or references'],
    [
      s.map(s.string(), s.array(s.string({ auto: true }))),
      'field holds parts that are unique, auto or references',
    ],
    [{ type: 'weird' }, 'entity.field is no field'],
    [7, 'entity.field is no field'],
    [s.string({ match: '(' }), 'entity.field.match is no regular expression'],
    [s.string({ default: '{vault://env/DATABASE_URL}' }), 'entity.field.default names a secret'],
  ])('may not have the field %j', (field, problem) => {
    expect(withField(field)).toBe(problem);
  });

  it.each([
    [{ endpointKey: 'consumer' }, 'endpointKey must name a unique field'],
    [{ endpointKey: 'toString' }, 'endpointKey must name a unique field'],
    [{ revision: 0 }, 'revision must be a whole number from 1 to 1000'],
    [{ revision: 1.5 }, 'revision must be a whole number from 1 to 1000'],
    [{ ttl: 'yes' }, 'ttl must be true or false'],
    [{ fields: [] }, 'fields must be up to 64 fields'],
    [
      { fields: Object.fromEntries(new Array(65).fill(0).map((_, at) => [`f${at}`, s.string()])) },
      'fields must be up to 64 fields',
    ],
    [{ checks: [7] }, 'entity.checks is no list of rules'],
    [{ checks: new Array(65).fill({}) }, 'checks must be up to 64 rules'],
  ])('may not say %j', (change, problem) => {
    expect(problemOf(change)).toBe(problem);
  });

  it('may not be too many, or two of a name', () => {
    const many = new Array(17).fill(0).map((_, at) => ({ ...ENTITY, name: `e${at}` }));
    expect(check({ entities: many })).toMatch(/two entities|up to 16/);
    expect(check({ entities: [ENTITY, ENTITY] })).toBe("two entities of the package are named 'things'");
    expect(check({ entities: {} })).toBe("plugin 'p': entities must list up to 16 entities");
  });
});
