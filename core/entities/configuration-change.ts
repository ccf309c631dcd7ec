/** One successful write to the configuration, as the rest of the node hears of it. */
import type { EntityRow } from './define-entity.ts';

export interface ConfigurationChange {
  /** Schema name, e.g. `services`. Children deleted in cascade are not told one by one. */
  readonly entity: string;
  readonly operation: 'insert' | 'update' | 'upsert' | 'delete';
  readonly id: string;
  /** What is stored now; absent after a delete. */
  readonly row?: EntityRow;
  /** What was stored before, where there was something. */
  readonly previous?: EntityRow;
}
