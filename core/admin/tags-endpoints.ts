/** `/tags` and `/tags/{tag}`: who bears which tag (contract/admin-api.md section 2.5). */
import { EntityError } from '../store/entity-error.ts';
import type { EntityStore } from '../store/entity-store.ts';
import type { AdminRequest, Endpoint } from './admin-exchange.ts';
import { answerPage, readPagingArguments } from './answer-page.ts';
import { isPossibleTag } from './parse-tags-filter.ts';
import { decodePercentBytes, invalidUtf8Position } from './percent-decoding.ts';

export function tagsEndpoints(store: EntityStore): Endpoint[] {
  return [
    {
      template: '/tags',
      methods: {
        GET: async ({ query }) =>
          answerPage(await store.tags(readPagingArguments(query)), '/tags', query, ['size']),
        POST: () => {
          const text = 'does not support insert/upsert/update/delete operations';
          throw new EntityError(2, `schema violation (tags: ${text})`, { fields: { tags: text } });
        },
      },
    },
    {
      template: '/tags/{tags}',
      methods: {
        GET: async (request) => {
          const tag = readTag(request);
          const page = await store.tags({ ...readPagingArguments(request.query), tag });
          return answerPage(page, `/tags/${encodeURIComponent(tag)}`, request.query, []);
        },
      },
    },
  ];
}

/** Throws EntityError 10 for what could not be a tag. */
function readTag(request: AdminRequest): string {
  const bytes = decodePercentBytes(request.rawCaptures[0] ?? '', false);
  const position = invalidUtf8Position(bytes);
  const tag = bytes.toString('utf8');
  if (position !== undefined) {
    throw invalidTag(`invalid utf-8 character sequence detected at position ${position}`);
  }
  if (!isPossibleTag(tag)) {
    throw invalidTag(
      `invalid tag '${tag}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`,
    );
  }
  return tag;
}

const invalidTag = (text: string): EntityError => new EntityError(10, text, { name: 'invalid unique tag' });
