/** What a schema makes of the type of a configuration, and what it refuses. Nothing runs here. */
import { type InferConfig, s } from '@tollgate/sdk';

const schema = s.config(
  {
    level: s.number({ one_of: [1, 2], required: true }),
    pattern: s.regex({ default: '^a' }),
    address: s.ip(),
    path: s.string({ match_none: [{ pattern: '//', err: 'no empty segments' }], required: true }),
    methods: s.set(s.httpMethod(), { default: ['GET'], contains: 'GET' }),
    limits: s.map(s.string(), s.record({ minute: s.integer({ required: true }), burst: s.integer() })),
  },
  {
    checks: [
      s.mutuallyExclusiveSets(['address'], ['path']),
      s.conditionalAtLeastOneOf('level', { eq: 1 }, ['address'], 'an address, please'),
    ],
  },
);

type Same<One, Other> =
  (<Type>() => Type extends One ? 1 : 2) extends <Type>() => Type extends Other ? 1 : 2 ? true : false;

function expectType<_Claim extends true>(): void {}

type Config = InferConfig<typeof schema>;
expectType<Same<Config['level'], 1 | 2>>();
expectType<Same<Config['pattern'], string>>();
expectType<Same<Config['address'], string | null>>();
expectType<Same<Config['path'], string>>();
expectType<Same<Config['methods'], readonly string[]>>();
expectType<
  Same<
    Config['limits'],
    Readonly<Record<string, { readonly minute: number; readonly burst: number | null }>> | null
  >
>();
// @ts-expect-error it may be null
expectType<Same<Config['address'], string>>();

// @ts-expect-error a pattern comes with its text
s.string({ match_none: [{ pattern: '//' }] });
// @ts-expect-error lists have no patterns
s.array(s.string(), { match: 'a' });
// @ts-expect-error a format that there is not
s.string({ format: 'colour' });
// @ts-expect-error there are two sets
s.mutuallyExclusiveSets(['a']);
// @ts-expect-error a match has attributes of fields
s.conditional('a', { equals: 1 }, 'b', { required: true });
