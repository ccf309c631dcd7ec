/** Rows are typed by the declaration of their entity. Nothing runs here: what is wrong does not compile. */
import { defineEntity, definePlugin, type InferEntity, s } from '@tollgate/sdk';

const things = defineEntity({
  name: 'things',
  fields: {
    consumer: s.foreign('consumers', { required: true }),
    key: s.string({ unique: true, auto: true }),
    size: s.integer({ default: 5 }),
    kind: s.enum(['a', 'b']),
  },
  migrations: [{ from: 1, up: ({ length, ...row }) => ({ ...row, size: length }) }],
});

type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;

function expectType<_Claim extends true>(): void {}

expectType<
  Same<
    InferEntity<typeof things>,
    {
      readonly id: string;
      readonly created_at: number;
      readonly updated_at: number;
      readonly consumer: { readonly id: string };
      readonly key: string;
      readonly size: number;
      readonly kind: 'a' | 'b' | null;
    }
  >
>();

definePlugin({
  name: 'typed',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  entities: [things],
  async access(kong) {
    const thing = await kong.entities.find<InferEntity<typeof things>>('things', 'key', 'k');
    kong.response.setHeader('x-size', `${thing?.size.toFixed(0)}`);
  },
});

// @ts-expect-error: an entity has fields
defineEntity({ name: 'nothing' });
