/** The `tags` argument of lists: `a,b` means both, `a/b` either (contract/admin-api.md section 2.5). */
import { EntityError } from '../store/entity-error.ts';
import type { PageQuery } from '../store/entity-store.ts';
import type { Argument } from './parse-arguments.ts';

export type TagsFilter = NonNullable<PageQuery['tags']>;

const MAX_TAGS = 5;

/** Throws EntityError 11 for an empty filter, mixed operators, impossible tags, or more than five. */
export function parseTagsFilter(argument: Argument): TagsFilter {
  const { value } = argument;
  if (value === true || value === '') throw invalidOption('tags', 'cannot be null');
  const mode = value.includes('/') ? 'or' : 'and';
  const values = value.split(mode === 'or' ? '/' : ',');
  if (!argument.isUtf8 || !values.every(isPossibleTag)) throw invalidOption('tags', 'invalid filter syntax');
  if (values.length > MAX_TAGS) throw invalidOption('tags', `cannot query more than ${MAX_TAGS} tags`);
  return { mode, values };
}

/** Printable ASCII without `,` and `/`, or anything beyond ASCII. */
export function isPossibleTag(text: string): boolean {
  return text !== '' && !/[\u0000-\u001f\u007f,/]/.test(text);
}

/** EntityError 11 about one option of the request. */
export function invalidOption(name: string, text: string): EntityError {
  return new EntityError(11, `invalid option (${name}: ${text})`, { options: { [name]: text } });
}
