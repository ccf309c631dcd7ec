/** `/plugin-packages`: third parties' plugins, published and taken back while traffic flows. Not part of Kong's API. */
import type { PackagePublisher, PublisherAnswer, TrafficChange } from '../packages/package-publisher.ts';
import { type AdminAnswer, answerJson, type Endpoint, NO_CONTENT } from './admin-exchange.ts';
import { AdminRefusal } from './admin-refusal.ts';
import { type Arguments, firstArgument } from './parse-arguments.ts';

const REFUSAL_STATUS = { invalid: 400, missing: 404, conflict: 409, failed: 500 } as const;

type Publisher = Pick<
  PackagePublisher,
  'list' | 'find' | 'forecast' | 'publish' | 'change' | 'rollback' | 'remove'
>;

export function pluginPackageEndpoints(publisher: Publisher): Endpoint[] {
  return [
    {
      template: '/plugin-packages',
      methods: {
        GET: async () => answerJson(200, { data: await publisher.list(), next: null }),
        POST: async ({ query, input }) => {
          if (readSwitch(query, 'dry_run')) return answer(200, await publisher.forecast(input.members));
          return answer(
            201,
            await publisher.publish(input.members, {
              ...readQuery(query),
              purge: readSwitch(query, 'purge'),
            }),
          );
        },
      },
    },
    {
      template: '/plugin-packages/{name}',
      methods: {
        GET: async ({ captures: [name = ''] }) => answer(200, await publisher.find(name)),
        PATCH: async ({ captures: [name = ''], input }) =>
          answer(200, await publisher.change(name, readChange(input.members))),
        DELETE: async ({ captures: [name = ''], query }) =>
          answer(204, await publisher.remove(name, readSwitch(query, 'purge'))),
      },
    },
    {
      template: '/plugin-packages/{name}/rollback',
      methods: {
        POST: async ({ captures: [name = ''] }) => answer(200, await publisher.rollback(name)),
      },
    },
  ];
}

function answer(status: number, given: PublisherAnswer<unknown>): AdminAnswer {
  if (given.ok) return status === 204 ? NO_CONTENT : answerJson(status, given.result);
  const { kind, ...refusal } = given.refusal;
  return answerJson(REFUSAL_STATUS[kind], refusal);
}

/** The body of a POST is the artefact as it was packed; what is to be done with it stands in the query. */
function readQuery(query: Arguments): TrafficChange {
  const percent = firstArgument(query, 'percent')?.value;
  const onError = firstArgument(query, 'on_error')?.value;
  const isolation = firstArgument(query, 'isolation')?.value;
  return readChange({
    ...(percent !== undefined && {
      percent: Number(percent === true || percent === '' ? Number.NaN : percent),
    }),
    ...(onError !== undefined && { on_error: onError }),
    ...(isolation !== undefined && { isolation }),
  });
}

function readSwitch(query: Arguments, name: string): boolean {
  const value = firstArgument(query, name)?.value;
  return value === true || value === 'true';
}

/** Forms carry numbers as text. */
function readChange({
  percent,
  on_error: onError,
  isolation,
  ...others
}: Readonly<Record<string, unknown>>): TrafficChange {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new AdminRefusal(400, `unknown field '${unknown}'`);
  const share = typeof percent === 'string' && percent !== '' ? Number(percent) : percent;
  if (share !== undefined && !isPercentage(share)) {
    throw new AdminRefusal(400, 'percent must be a whole number from 0 to 100');
  }
  if (onError !== undefined && onError !== 'fail' && onError !== 'skip') {
    throw new AdminRefusal(400, "on_error must be 'fail' or 'skip'");
  }
  if (isolation !== undefined && isolation !== 'process' && isolation !== 'thread') {
    throw new AdminRefusal(400, "isolation must be 'process' or 'thread'");
  }
  return {
    ...(share !== undefined && { percent: share }),
    ...(onError !== undefined && { onError }),
    ...(isolation !== undefined && { isolation }),
  };
}

function isPercentage(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100;
}
