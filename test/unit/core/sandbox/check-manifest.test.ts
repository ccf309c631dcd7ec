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
    expect(check({ schema })).toBe(
      `plugin 'p': schema.key.${name} is no regular expression that runs in linear time`,
    );
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

describe('the schema of a stranger', () => {
  const withKey = (attributes: Readonly<Record<string, unknown>>) =>
    check({ schema: { type: 'record', fields: { key: { type: 'string', ...attributes } } } });

  it.each([
    ['^(a*)*\\1$'],
    ['^(?=a)b'],
    ['(?:(?:a{1,200}){1,200}){1,200}'],
    ['(?:a?){15}'.repeat(300)],
    ['\\p{L}'],
  ])('may not have a pattern that could keep the control process busy: %j', (match) => {
    expect(withKey({ match })).toBe(
      "plugin 'p': schema.key.match is no regular expression that runs in linear time",
    );
  });

  it.each([['^(a+)+$'], ['^[0-9a-f]{32}$'], ['^[A-Za-z0-9._%+-]{1,64}@[a-z.]+$'], ['[^]*']])(
    'may have %j',
    (match) => {
      expect(withKey({ match })).toBe(undefined);
    },
  );

  it('may have patterns of so many characters in all', () => {
    const match = 'a'.repeat(500);
    const fieldsOf = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, s.string({ match })]));
    expect(check({ schema: s.config(fieldsOf(4)) })).toBe(undefined);
    expect(check({ schema: s.config(fieldsOf(5)) })).toBe(
      "plugin 'p': schema has patterns of more than 2048 characters",
    );
  });

  it('may not have defaults that grow into one another', () => {
    const twenty = Array.from({ length: 20 }, () => ({}));
    let fields: Parameters<typeof s.record>[0] = { leaf: s.string({ default: 'x' }) };
    for (let depth = 0; depth < 4; depth++) fields = { list: s.array(s.record(fields), { default: twenty }) };
    expect(check({ schema: s.config(fields) })).toBe(
      "plugin 'p': schema has defaults that make more than 16384 characters",
    );
  });

  it.each([
    [{ one_of: 5 }, 'one_of'],
    [{ one_of: { includes: 1 } }, 'one_of'],
    [{ between: 'xy' }, 'between'],
    [{ between: [1] }, 'between'],
    [{ gt: '1' }, 'gt'],
    [{ len_max: null }, 'len_max'],
    [{ format: 'constructor' }, 'format'],
    [{ format: 'unheard-of' }, 'format'],
    [{ required: 'yes' }, 'required'],
    [{ mutually_exclusive_subsets: 7 }, 'mutually_exclusive_subsets'],
  ])('may not have attributes that the Admin API would stumble over: %j', (attributes, name) => {
    expect(withKey(attributes)).toBe(`plugin 'p': schema.key.${name} is malformed`);
  });

  it('may not have a shorthand that leads nowhere', () => {
    const shorthands = { old: { field: { type: 'string' }, replaced_with: 7, deprecation: {} } };
    const schema = { type: 'record', fields: {}, shorthands };
    expect(check({ schema })).toBe("plugin 'p': schema.old is no field");
  });
});

describe('the metrics of a stranger', () => {
  const METRIC = { type: 'histogram', help: 'h', labels: ['who'], buckets: [1, 2] };
  const problemOf = (change: Readonly<Record<string, unknown>>) =>
    check({ metrics: { seconds: { ...METRIC, ...change } } });

  it('may have labels and buckets', () => {
    expect(problemOf({})).toBe(undefined);
  });

  it.each([
    [{ labels: ['le'] }, 'has labels that are no names'],
    [{ labels: ['a', 'a'] }, 'has labels that are no names'],
    [{ labels: ['__name__'] }, 'has labels that are no names'],
    [{ buckets: [2, 1] }, 'has unusable buckets'],
    [{ buckets: [1, 1] }, 'has unusable buckets'],
    [{ buckets: Array.from({ length: 101 }, (_, at) => at) }, 'has unusable buckets'],
    [{ help: 'h\nother_metric 1' }, 'needs a help text of one line'],
  ])('may not spoil those of others: %j', (change, problem) => {
    expect(problemOf(change)).toBe(`plugin 'p': metric 'seconds' ${problem}`);
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
    [s.string({ match: '(' }), 'entity.field.match is no regular expression that runs in linear time'],
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
