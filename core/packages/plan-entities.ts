/**
 * What putting another version of a package to use does to the rows of its entities: which it cannot bear, which have to
 * be rewritten, and how. Rows are migrated by the package's own code, which never runs in this process.
 */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { MigrationOrder, MigrationOutcome } from '../../sdk/protocol/migration.ts';
import { completeRow, generatesValues, validateEntity } from '../entities/complete-entity.ts';
import type { EntityDefinition, EntityRow } from '../entities/define-entity.ts';
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';
import { fromDocument, toDocument } from '../store/document-columns.ts';
import { type FieldCipher, openRow, sealRow } from '../store/encrypted-fields.ts';
import { EntityError } from '../store/entity-error.ts';
import type {
  ArrangedEntity,
  PackageArrangement,
  PackageDocuments,
  RewrittenRow,
  StoredDocument,
} from '../store/package-arrangement.ts';
import type { BrokenConfiguration } from './broken-configurations.ts';
import { listPublishedEntities } from './package-entities.ts';

export interface EntityPlanDependencies {
  readonly documents: PackageDocuments;
  /** Migrations are given rows in the clear. */
  readonly cipher: FieldCipher;
  /** Runs a package's migrations, one order after the other, where they can hurt nobody. Rejects when it cannot. */
  readonly migrate: (
    artefact: PluginArtefact,
    orders: readonly MigrationOrder[],
  ) => Promise<readonly (readonly MigrationOutcome[])[]>;
}

export interface EntityTransition {
  readonly next: PluginArtefact;
  /** The version in use; undefined of a package that is new. */
  readonly current: PluginArtefact | undefined;
  /** Going back, entities that only the newer version has stay, out of sight. */
  readonly direction: 'forward' | 'back';
  readonly purge: boolean;
}

export interface EntityPlan {
  readonly arrangement: PackageArrangement;
  /** Rows the version cannot bear; with any, it must not be put to use. */
  readonly broken: readonly BrokenConfiguration[];
}

/** More rows than this are not rewritten by a change of versions: it is one statement. */
export const MAX_REWRITTEN_ROWS = 20_000;
const ROWS_PER_READ = 500;
/** Enough for whoever has to repair them. */
const MAX_BROKEN = 100;

/** The message is for the author of the version. */
export class EntityPlanError extends Error {
  override readonly name = 'EntityPlanError';
}

/** Throws EntityPlanError for what no operator can repair, and StoreUnavailableError. */
export async function planEntities(
  dependencies: EntityPlanDependencies,
  transition: EntityTransition,
): Promise<EntityPlan> {
  const { next, current, direction, purge } = transition;
  const before = new Map(entitiesOf(current).map((entity) => [entity.name, entity]));
  const broken: BrokenConfiguration[] = [];
  const entities: ArrangedEntity[] = [];
  for (const definition of entitiesOf(next)) {
    const plan = await planEntity(dependencies, transition, definition, before.get(definition.name));
    entities.push(plan.arranged);
    broken.push(...plan.broken);
    before.delete(definition.name);
  }
  for (const [name, definition] of before) {
    if (direction === 'back') entities.push({ definition, rewritten: [] });
    else if (!purge && (await dependencies.documents.hasRows(name))) {
      throw new EntityPlanError(`the version no longer has the entity '${name}', of which there are rows`);
    }
  }
  return { arrangement: { entities, purge }, broken: broken.slice(0, MAX_BROKEN) };
}

interface SingleEntityPlan {
  readonly arranged: ArrangedEntity;
  readonly broken: readonly BrokenConfiguration[];
}

async function planEntity(
  dependencies: EntityPlanDependencies,
  { next, current, direction }: EntityTransition,
  definition: EntityDefinition,
  before: EntityDefinition | undefined,
): Promise<SingleEntityPlan> {
  const { documents, cipher } = dependencies;
  const { name } = definition;
  const to = revisionOf(definition);
  const from = (await documents.revisionOf(name)) ?? to;
  if (from === to && isSameDeclaration(definition, before)) {
    return { arranged: { definition, rewritten: [] }, broken: [] };
  }
  const check = new RowCheck(definition, from === to ? before : undefined, cipher);
  if (from === to) {
    for await (const page of pagesOf(documents, name)) {
      for (const stored of page) check.take(stored, inTheClear(name, stored, cipher));
    }
    return check.plan();
  }
  const migrating = from < to || current === undefined ? next : current;
  const rows = await readAll(documents, name);
  const orders = batchesOf(rows).map((batch) => ({
    entity: name,
    from,
    to,
    rows: batch.map((stored) => {
      const document = inTheClear(name, stored, cipher);
      return before ? fromDocument(before, stored.id, document) : { ...document, id: stored.id };
    }),
  }));
  const outcomes = (await dependencies.migrate(migrating, orders)).flat();
  for (const [at, stored] of rows.entries()) {
    const outcome = outcomes[at];
    if (outcome === undefined || 'error' in outcome) {
      check.refuse(stored, { '@entity': [`its migration fails: ${outcome?.error ?? 'no row came back'}`] });
    } else {
      const kept = direction === 'back' || to < from ? inTheClear(name, stored, cipher) : {};
      check.take(stored, { ...kept, ...outcome.row });
    }
  }
  return check.plan();
}

/** Collects what becomes of the rows of one entity. */
class RowCheck {
  readonly #definition: EntityDefinition;
  /** Undefined when every row is rewritten. */
  readonly #before: EntityDefinition | undefined;
  readonly #cipher: FieldCipher;
  readonly #rewritten: RewrittenRow[] = [];
  readonly #broken: BrokenConfiguration[] = [];
  /** Unique key → id. */
  readonly #takenBy = new Map<string, string>();
  #count = 0;

  constructor(definition: EntityDefinition, before: EntityDefinition | undefined, cipher: FieldCipher) {
    this.#definition = definition;
    this.#before = before;
    this.#cipher = cipher;
  }

  /** `members` are what the row is to be made of. */
  take(stored: StoredDocument, members: Readonly<Record<string, unknown>>): void {
    this.#count++;
    const { id, document } = stored;
    const row = completeRow(this.#definition, { ...members, id, ...timesOf(document) }, Date.now() / 1000);
    try {
      validateEntity(this.#definition, row, 'update');
    } catch (error) {
      if (!(error instanceof EntityError)) throw error;
      this.refuse(stored, error.fields ?? {});
      return;
    }
    const columns = toDocument(this.#definition, row);
    if (!this.#isRewritten(stored, members, columns)) return;
    for (const key of columns['unique_keys'] as readonly string[]) {
      const field = key.slice(0, key.indexOf('='));
      const other = this.#takenBy.get(key);
      if (other !== undefined) this.refuse(stored, { [field]: `has the same value as row '${other}'` });
      this.#takenBy.set(key, id);
    }
    this.#rewritten.push({ row: sealRow(this.#definition, row, this.#cipher), before: document });
    if (this.#rewritten.length > MAX_REWRITTEN_ROWS) throw tooManyRows(this.#definition.name);
  }

  refuse({ id }: StoredDocument, fields: Readonly<Record<string, unknown>>): void {
    if (this.#broken.length < MAX_BROKEN) this.#broken.push({ id, name: this.#definition.name, fields });
  }

  plan(): SingleEntityPlan {
    const mustBeAll = this.#rewritten.length > 0 || this.#before === undefined;
    return {
      arranged: {
        definition: this.#definition,
        rewritten: this.#rewritten,
        ...(mustBeAll && { rowCount: this.#count }),
      },
      broken: this.#broken,
    };
  }

  /** Fields that are new are filled in whenever a row is read; only what the database keeps of it must be there before. */
  #isRewritten(
    { id, document }: StoredDocument,
    members: Readonly<Record<string, unknown>>,
    columns: Readonly<Record<string, unknown>>,
  ): boolean {
    if (this.#before === undefined || generatesValues(this.#definition, members)) return true;
    const old = toDocument(this.#before, fromDocument(this.#before, id, document) as EntityRow);
    const keptOf = ({
      document: _document,
      revision: _revision,
      ...kept
    }: Readonly<Record<string, unknown>>) => JSON.stringify(kept);
    return keptOf(old) !== keptOf(columns);
  }
}

function entitiesOf(artefact: { readonly manifest: PackageManifest } | undefined) {
  return artefact === undefined ? [] : listPublishedEntities(artefact.manifest);
}

const revisionOf = ({ published }: EntityDefinition): number => published?.revision ?? 1;

function isSameDeclaration(left: EntityDefinition, right: EntityDefinition | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function inTheClear(entity: string, { id, document }: StoredDocument, cipher: FieldCipher) {
  return openRow(entity, id, document, cipher);
}

/** A migration has no say in when a row was made or written. */
function timesOf({ created_at, updated_at }: StoredDocument['document']) {
  return { created_at, updated_at };
}

async function* pagesOf(documents: PackageDocuments, entity: string) {
  let afterId: string | undefined;
  for (;;) {
    const page = await documents.read(entity, afterId, ROWS_PER_READ);
    yield page;
    afterId = page.at(-1)?.id;
    if (page.length < ROWS_PER_READ) return;
  }
}

async function readAll(documents: PackageDocuments, entity: string): Promise<readonly StoredDocument[]> {
  const rows: StoredDocument[] = [];
  for await (const page of pagesOf(documents, entity)) {
    rows.push(...page);
    if (rows.length > MAX_REWRITTEN_ROWS) throw tooManyRows(entity);
  }
  return rows;
}

function batchesOf(rows: readonly StoredDocument[]): readonly (readonly StoredDocument[])[] {
  const batches: (readonly StoredDocument[])[] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_READ) batches.push(rows.slice(at, at + ROWS_PER_READ));
  return batches;
}

function tooManyRows(entity: string): EntityPlanError {
  return new EntityPlanError(
    `more than ${MAX_REWRITTEN_ROWS} rows of '${entity}' would have to be rewritten at once`,
  );
}
