/** Endpoints of which some come and go: those of published packages' entities. */
import type { EntityDefinition } from '../entities/define-entity.ts';
import type { Endpoint } from './admin-exchange.ts';
import { createPathTable, type PathTable } from './path-table.ts';

/** Made anew whenever the published ones among `entities`, which change in place, are others than before. */
export function followEntities(
  entities: readonly EntityDefinition[],
  list: (published: readonly EntityDefinition[]) => readonly Endpoint[],
): PathTable {
  let known: readonly EntityDefinition[] = [];
  let table = createPathTable(list(known));
  return {
    find(path) {
      const published = entities.filter(isPublished);
      if (published.length !== known.length || published.some((entity, at) => entity !== known[at])) {
        known = published;
        table = createPathTable(list(known));
      }
      return table.find(path);
    },
  };
}

export const isPublished = ({ published }: EntityDefinition): boolean => published !== undefined;

/** A path has one owner. Whoever publishes is told; this is for packages of before there was another owner. */
export function withoutTaken(
  endpoints: readonly Endpoint[],
  owners: readonly Endpoint[],
): readonly Endpoint[] {
  const taken = new Set(owners.map(pathOf));
  return endpoints.filter((endpoint) => {
    const isFree = !taken.has(pathOf(endpoint));
    taken.add(pathOf(endpoint));
    return isFree;
  });
}

const pathOf = ({ template }: Endpoint): string => template.replaceAll(/\{[^}]*\}/g, '{}');
