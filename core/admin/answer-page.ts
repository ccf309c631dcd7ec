/** Lists: their size, offset and tags arguments, and the links to the next page (contract/admin-api.md section 2.2). */
import { EntityError } from '../store/entity-error.ts';
import { type AdminAnswer, answerJson } from './admin-exchange.ts';
import { type Arguments, argumentText, firstArgument } from './parse-arguments.ts';
import { parseTagsFilter, type TagsFilter } from './parse-tags-filter.ts';

const DEFAULT_SIZE = 100;
const MAX_SIZE = 1000;

export interface PagingArguments {
  readonly size: number;
  readonly offset?: string;
}

export interface ListArguments extends PagingArguments {
  readonly tags?: TagsFilter;
}

/** Throws EntityError 9 for a bad size; the store judges the offset. */
export function readPagingArguments(query: Arguments): PagingArguments {
  const offset = argumentText(query, 'offset');
  return { size: readSize(query), ...(offset === undefined ? {} : { offset }) };
}

/** Paging and the tags filter. Throws EntityError 11 for a bad filter. */
export function readListArguments(query: Arguments): ListArguments {
  const tags = firstArgument(query, 'tags');
  return { ...readPagingArguments(query), ...(tags === undefined ? {} : { tags: parseTagsFilter(tags) }) };
}

function readSize(query: Arguments): number {
  const argument = firstArgument(query, 'size');
  if (argument === undefined) return DEFAULT_SIZE;
  const size =
    typeof argument.value === 'string' && argument.value.trim() !== '' ? Number(argument.value) : Number.NaN;
  if (Number.isNaN(size)) throw new EntityError(9, 'size must be a number');
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new EntityError(9, `size must be an integer between 1 and ${MAX_SIZE}`);
  }
  return size;
}

/** `{data, next, offset}`. `path` is the list's own, escaped; `repeated` names the arguments that `next` carries on. */
export function answerPage(
  page: { readonly rows: readonly unknown[]; readonly offset?: string },
  path: string,
  query: Arguments,
  repeated: readonly string[],
): AdminAnswer {
  if (page.offset === undefined) return answerJson(200, { data: page.rows, next: null });
  const parts = [`offset=${encodeURIComponent(page.offset)}`];
  for (const name of repeated) {
    const value = argumentText(query, name);
    if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  }
  return answerJson(200, { data: page.rows, next: `${path}?${parts.join('&')}`, offset: page.offset });
}
