import { describe, expectTypeOf, it } from 'vitest';
import { definePlugin } from '../../../../sdk/define-plugin.ts';
import { type InferConfig, type RecordField, s } from '../../../../sdk/schema/index.ts';

const schema = s.config(
  {
    minute: s.number({ gt: 0, required: true }),
    key: s.string({ default: 'apikey', referenceable: true }),
    mode: s.enum(['count', 'block'], { default: 'block' }),
    anonymous: s.string(),
    key_names: s.array(s.headerName(), { required: true, default: ['apikey'] }),
    labels: s.map(s.string(), s.integer()),
    redis: s.record({ host: s.host(), port: s.port({ default: 6379 }) }, { required: true }),
    extra: s.record({ flag: s.boolean({ required: true }) }),
  },
  { checks: [s.atLeastOneOf('minute')] },
);
type Config = InferConfig<typeof schema>;

describe('the type of a configuration', () => {
  it('leaves out null where a field is required or has a default', () => {
    expectTypeOf<Config['minute']>().toEqualTypeOf<number>();
    expectTypeOf<Config['key']>().toEqualTypeOf<string>();
    expectTypeOf<Config['mode']>().toEqualTypeOf<'count' | 'block'>();
    expectTypeOf<Config['key_names']>().toEqualTypeOf<readonly string[]>();
  });

  it('has null where a field may be unset', () => {
    expectTypeOf<Config['anonymous']>().toEqualTypeOf<string | null>();
    expectTypeOf<Config['labels']>().toEqualTypeOf<Readonly<Record<string, number>> | null>();
  });

  it('follows records inside records', () => {
    expectTypeOf<Config['redis']>().toEqualTypeOf<{ readonly host: string | null; readonly port: number }>();
    expectTypeOf<Config['extra']>().toEqualTypeOf<{ readonly flag: boolean } | null>();
  });

  it('is a record of unknown members for a schema that is not known', () => {
    expectTypeOf<InferConfig<RecordField>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  });

  it('reaches the handlers of a plugin', () => {
    definePlugin({
      name: 'budget',
      version: '1.0.0',
      priority: 905,
      schema,
      access(_kong, config) {
        expectTypeOf(config.minute).toEqualTypeOf<number>();
        return undefined as never;
      },
    });
  });

  it('refuses options a field does not have', () => {
    // @ts-expect-error `requird` is no attribute
    s.string({ requird: true });
    // @ts-expect-error a default must have the field's type
    s.number({ default: 'one' });
  });
});
