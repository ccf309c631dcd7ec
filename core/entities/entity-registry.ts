/** Every entity of the gateway, those of published packages included, which come and go while it serves. */
import type { EntityDefinition } from './define-entity.ts';

export interface EntityRegistry {
  /** Ours first. Changes in place: whoever keeps it reads it anew each time. */
  readonly entities: readonly EntityDefinition[];
  /** Replaces those of published packages. One that is declared as before stays the same object. */
  replacePublished(published: readonly EntityDefinition[]): void;
}

export function createEntityRegistry(own: readonly EntityDefinition[]): EntityRegistry {
  const entities = [...own];
  const declarations = new Map<EntityDefinition, string>();
  return {
    entities,
    replacePublished(published) {
      const next = published.map((definition) => {
        const declaration = JSON.stringify(definition);
        const known = entities.find((each) => declarations.get(each) === declaration) ?? definition;
        declarations.set(known, declaration);
        return known;
      });
      entities.splice(own.length, entities.length, ...next);
      for (const known of declarations.keys()) if (!next.includes(known)) declarations.delete(known);
    },
  };
}
