/**
 * Every setting of the gateway, once. Parsing, `tollgate --help`, the settings page and the configuration shown
 * by `GET /` are made from this table; to add a setting, add a row to the file of its group.
 *
 * Names are those of Kong's properties where Kong has the property. A row's key is the name of the value in
 * `Settings` and carries the unit.
 */
import { LISTENER_SETTINGS } from './listener-settings.ts';
import { NODE_SETTINGS } from './node-settings.ts';
import { PLUGIN_SETTINGS } from './plugin-settings.ts';
import { PROXYING_SETTINGS } from './proxying-settings.ts';
import type { SettingKind } from './setting-kind.ts';
import type { DefaultedSetting, OptionalSetting, SettingRow } from './setting-row.ts';
import { STORAGE_SETTINGS } from './storage-settings.ts';

export const SETTING_TABLE = {
  ...LISTENER_SETTINGS,
  ...STORAGE_SETTINGS,
  ...PROXYING_SETTINGS,
  ...PLUGIN_SETTINGS,
  ...NODE_SETTINGS,
} as const;

type Table = typeof SETTING_TABLE;
export type SettingKey = keyof Table;

type ValueOf<Row> =
  Row extends DefaultedSetting<infer Value>
    ? Value
    : Row extends OptionalSetting<infer Value>
      ? Value | undefined
      : never;

/** All settings of a node: frozen, and complete but for what may be absent. */
export type Settings = {
  readonly [Key in Exclude<SettingKey, 'database'>]: ValueOf<Table[Key]>;
} & { readonly database: 'embedded' | 'postgres' };

/** A row without its value's type, for code that walks the table. */
export type AnySetting = SettingRow & {
  readonly kind: SettingKind<unknown>;
  readonly default?: string;
  readonly absent?: string;
};

/** The table as a list, in the order it is written. */
export function listSettings(): readonly { readonly key: SettingKey; readonly row: AnySetting }[] {
  return Object.entries(SETTING_TABLE).map(([key, row]) => ({
    key: key as SettingKey,
    row: row as AnySetting,
  }));
}

/** Environment variables that give this setting; the first one that is set wins. */
export function variablesOf(row: AnySetting): readonly [string, ...string[]] {
  if (row.variable !== undefined) return [row.variable];
  const own = `TOLLGATE_${row.name.toUpperCase()}`;
  if (row.kong === false) return [own];
  return [own, `KONG_${(row.kong ?? row.name).toUpperCase()}`];
}
