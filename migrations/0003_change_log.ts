/**
 * The log of changes to entities, by which nodes follow each other. Triggers write it in the writer's own transaction,
 * so that cascades and SQL by hand are seen too. A later migration lets a new table join by
 * `select track_changes('table', array['unique', 'columns'])`.
 */
import { type Kysely, sql } from 'kysely';

/** Tables so far, and the columns whose values caches look rows up by. */
const TRACKED = {
  services: ['name'],
  routes: ['name'],
  consumers: ['username', 'custom_id'],
  plugins: ['instance_name'],
  keyauth_credentials: ['key'],
} as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  await createLog(db);
  await createFunctions(db);
  for (const [table, columns] of Object.entries(TRACKED)) {
    await sql`select track_changes(${table}, array[${sql.join(columns)}]::text[])`.execute(db);
  }
}

/** `id` is null and `entity` names the table when all rows went at once. */
async function createLog(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence changes_sequence`.execute(db);
  await sql`
    create table changes (
      sequence bigint primary key default nextval('changes_sequence'),
      entity text not null,
      operation text not null,
      id uuid,
      keys text[] not null default '{}',
      at timestamptz not null default clock_timestamp()
    )`.execute(db);
  await sql`create index changes_at_idx on changes (at)`.execute(db);
  // Where a node stands that has seen nothing yet: positions are rows of this table.
  await sql`insert into changes (sequence, entity, operation) values (0, '', 'begin')`.execute(db);
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  // Whoever draws a number holds this lock until its transaction has ended, so no number becomes visible before a
  // smaller one. Taken before the statement locks any row, or two writers could wait for each other.
  await sql`
    create function take_change_turn() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(8237412950134);
      return null;
    end $$`.execute(db);

  await sql`
    create function change_keys(image jsonb, columns text[]) returns setof text language sql immutable as $$
      select name || '=' || (image ->> name) from unnest(columns) as name where image ->> name is not null
    $$`.execute(db);

  await sql`
    create function record_changes() returns trigger language plpgsql set search_path from current as $$
    declare
      newest bigint;
    begin
      if tg_op = 'INSERT' then
        with recorded as (
          insert into changes (entity, operation, id, keys)
          select tg_table_name, 'insert', row_after.id, array(select change_keys(to_jsonb(row_after), tg_argv))
          from rows_after as row_after
          returning sequence)
        select max(sequence) into newest from recorded;
      elsif tg_op = 'UPDATE' then
        with images as (
          select id, to_jsonb(row_before) as image from rows_before as row_before
          union all
          select id, to_jsonb(row_after) as image from rows_after as row_after),
        recorded as (
          insert into changes (entity, operation, id, keys)
          select tg_table_name, 'update', images.id,
            coalesce(array_agg(distinct key) filter (where key is not null), '{}')
          from images left join lateral change_keys(image, tg_argv) as key on true
          group by images.id
          returning sequence)
        select max(sequence) into newest from recorded;
      elsif tg_op = 'DELETE' then
        with recorded as (
          insert into changes (entity, operation, id, keys)
          select tg_table_name, 'delete', row_before.id, array(select change_keys(to_jsonb(row_before), tg_argv))
          from rows_before as row_before
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

  // Quoted by %L, a column's name is an argument of the trigger and never a part of a statement.
  await sql`
    create function track_changes(tracked text, columns text[]) returns void language plpgsql as $$
    declare
      arguments text := (select string_agg(quote_literal(name), ', ') from unnest(columns) as name);
      kind record;
    begin
      execute format('create trigger %I before insert or update or delete or truncate on %I
        for each statement execute function take_change_turn()', tracked || '_change_turn', tracked);
      for kind in
        select * from (values
          ('insert', 'referencing new table as rows_after'),
          ('update', 'referencing old table as rows_before new table as rows_after'),
          ('delete', 'referencing old table as rows_before'),
          ('truncate', '')) as kinds (event, images)
      loop
        execute format('create trigger %I after %s on %I %s for each statement execute function record_changes(%s)',
          tracked || '_change_' || kind.event, kind.event, tracked, kind.images, arguments);
      end loop;
    end $$`.execute(db);
}
