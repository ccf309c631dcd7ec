/**
 * Rows of entities that published packages declare: all in one table, as documents, because a gateway that serves has
 * no business changing the schema of its database. What must be unique is kept in a table beside it, and references to
 * our own entities are foreign keys.
 */
import { type Kysely, sql } from 'kysely';

const PARENTS = ['consumers', 'services', 'routes'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTables(db);
  await keepUniqueKeys(db);
  await recordChanges(db);
  await createArrangement(db);
}

/** `revision` of a row must be that of its entity: a node that has not heard of a new one cannot write by the old. */
async function createTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table package_entity_kinds (
      entity text primary key,
      package text not null,
      revision integer not null,
      unique (entity, revision)
    )`.execute(db);
  await sql`
    create table package_entities (
      entity text not null,
      id uuid not null,
      revision integer not null,
      document jsonb not null,
      tags text[],
      consumer_id uuid,
      service_id uuid,
      route_id uuid,
      unique_keys text[] not null default '{}',
      keys text[] not null default '{}',
      expires_at timestamptz,
      primary key (entity, id),
      constraint package_entities_kind_fkey foreign key (entity, revision)
        references package_entity_kinds (entity, revision) on update cascade
    )`.execute(db);
  await sql`
    create table package_entity_keys (
      entity text not null,
      key text not null,
      id uuid not null,
      primary key (entity, key),
      foreign key (entity, id) references package_entities (entity, id) on delete cascade
    )`.execute(db);
  for (const parent of PARENTS) {
    const column = sql.ref(`${parent.slice(0, -1)}_id`);
    const name = sql.raw(`package_entities_${parent.slice(0, -1)}_fkey`);
    await sql`
      alter table package_entities add constraint ${name}
        foreign key (${column}) references ${sql.table(parent)} (id) on delete cascade`.execute(db);
    await sql`create index on package_entities (${column}, entity) where ${column} is not null`.execute(db);
  }
  await sql`create index on package_entities (expires_at) where expires_at is not null`.execute(db);
  await sql`create index on package_entities using gin (tags)`.execute(db);
  await sql`create index on package_entity_keys (entity, id)`.execute(db);
}

/** What a statement gives up is given up before it takes anything: two rows may swap their values. */
async function keepUniqueKeys(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function keep_package_entity_keys() returns trigger language plpgsql set search_path from current as $$
    begin
      if tg_op = 'UPDATE' then
        delete from package_entity_keys as taken using rows_before as row_before, rows_after as row_after
        where row_after.entity = row_before.entity and row_after.id = row_before.id
          and row_after.unique_keys <> row_before.unique_keys
          and taken.entity = row_before.entity and taken.id = row_before.id;
        insert into package_entity_keys (entity, key, id)
        select row_after.entity, key, row_after.id
        from rows_after as row_after
        join rows_before as row_before on row_after.entity = row_before.entity and row_after.id = row_before.id,
          unnest(row_after.unique_keys) as key
        where row_after.unique_keys <> row_before.unique_keys;
      else
        insert into package_entity_keys (entity, key, id)
        select row_after.entity, key, row_after.id
        from rows_after as row_after, unnest(row_after.unique_keys) as key;
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger package_entities_keys_insert after insert on package_entities
      referencing new table as rows_after for each statement execute function keep_package_entity_keys()`.execute(
    db,
  );
  await sql`
    create trigger package_entities_keys_update after update on package_entities
      referencing old table as rows_before new table as rows_after
      for each statement execute function keep_package_entity_keys()`.execute(db);
}

/** As migration 0003 does for tables of one entity each. */
async function recordChanges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function record_package_entity_changes() returns trigger language plpgsql set search_path from current as $$
    declare
      newest bigint;
    begin
      if tg_op = 'INSERT' then
        with recorded as (
          insert into changes (entity, operation, id, keys)
          select entity, 'insert', id, keys from rows_after
          returning sequence)
        select max(sequence) into newest from recorded;
      elsif tg_op = 'UPDATE' then
        with recorded as (
          insert into changes (entity, operation, id, keys)
          select row_after.entity, 'update', row_after.id,
            array(select unnest(row_before.keys) union select unnest(row_after.keys))
          from rows_after as row_after
          join rows_before as row_before on row_after.entity = row_before.entity and row_after.id = row_before.id
          returning sequence)
        select max(sequence) into newest from recorded;
      elsif tg_op = 'DELETE' then
        with recorded as (
          insert into changes (entity, operation, id, keys)
          select entity, 'delete', id, keys from rows_before
          returning sequence)
        select max(sequence) into newest from recorded;
      else
        insert into changes (entity, operation) values (tg_table_name, 'truncate') returning sequence into newest;
      end if;
      if newest is not null then
        perform pg_notify('tollgate_changes', newest::text);
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger package_entities_change_turn before insert or update or delete or truncate on package_entities
      for each statement execute function take_change_turn()`.execute(db);
  const kinds = [
    ['insert', 'referencing new table as rows_after'],
    ['update', 'referencing old table as rows_before new table as rows_after'],
    ['delete', 'referencing old table as rows_before'],
    ['truncate', ''],
  ] as const;
  for (const [event, images] of kinds) {
    await sql`
      create trigger ${sql.raw(`package_entities_change_${event}`)} after ${sql.raw(event)} on package_entities
        ${sql.raw(images)} for each statement execute function record_package_entity_changes()`.execute(db);
  }
}

/**
 * Makes a package's entities those of another version, in the transaction of the statement that calls it. `kinds` are
 * all that it has from now on (`entity`, `revision`), `rewritten` the rows that change with it; one that is not what it
 * was (`before`) any more, or was not there when they were read, fails the whole. Entities with rows stay unless they
 * are to be purged.
 */
async function createArrangement(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function arrange_package_entities(owner text, kinds jsonb, rewritten jsonb, with_rows boolean)
    returns boolean language plpgsql set search_path from current as $$
    declare
      kind record;
      stale bigint;
    begin
      perform pg_advisory_xact_lock(8237412950134);
      for kind in
        select known.entity from package_entity_kinds as known
        where known.package = owner and not exists (
          select 1 from jsonb_to_recordset(kinds) as given (entity text) where given.entity = known.entity)
      loop
        if with_rows then
          delete from package_entities where entity = kind.entity;
        end if;
        delete from package_entity_kinds where entity = kind.entity;
      end loop;
      for kind in select * from jsonb_to_recordset(kinds) as given (entity text, revision integer, rows bigint) loop
        if kind.rows is not null then
          select count(*) into stale from package_entities where entity = kind.entity;
          if stale <> kind.rows then
            raise exception 'rows of % have come or gone', kind.entity using errcode = 'TG001';
          end if;
        end if;
        insert into package_entity_kinds (entity, package, revision) values (kind.entity, owner, kind.revision)
        on conflict (entity) do update set revision = excluded.revision
          where package_entity_kinds.package = owner and package_entity_kinds.revision <> excluded.revision;
        if not exists (select 1 from package_entity_kinds where entity = kind.entity and package = owner) then
          raise exception 'the entity % belongs to another package', kind.entity using errcode = 'TG002';
        end if;
      end loop;
      select count(*) into stale
      from jsonb_to_recordset(rewritten) as given (entity text, id uuid, before jsonb)
      left join package_entities as stored on stored.entity = given.entity and stored.id = given.id
      where stored.document is distinct from given.before;
      if stale > 0 then
        raise exception 'rows have been written meanwhile' using errcode = 'TG001';
      end if;
      update package_entities as stored
      set document = stored.document || given.document, tags = given.tags, consumer_id = given.consumer_id,
        service_id = given.service_id, route_id = given.route_id, unique_keys = given.unique_keys, keys = given.keys
      from jsonb_to_recordset(rewritten) as given (entity text, id uuid, document jsonb, tags text[],
        consumer_id uuid, service_id uuid, route_id uuid, unique_keys text[], keys text[])
      where stored.entity = given.entity and stored.id = given.id;
      return true;
    end $$`.execute(db);
}
