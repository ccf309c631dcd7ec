/** What is wrong with a value, in the shape the Admin API shows under `fields` (contract/admin-api.md section 4). */

/**
 * One violated rule (a text), the members of a record or map, or the positions of a list, where null marks a
 * good position before a bad one. Texts about several members stand in a list under `@entity`.
 */
export type ErrorNode = string | null | ErrorTree | readonly ErrorNode[];

export interface ErrorTree {
  readonly [member: string]: ErrorNode;
}

/** Member of a tree that lists the texts of rules across fields. */
export const ENTITY_MEMBER = '@entity';

export function isErrorTree(node: ErrorNode | undefined): node is ErrorTree {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}
