/** What a row of the table of settings says. */
import type { SettingKind } from './setting-kind.ts';

export type SettingGroup = 'Listeners' | 'Storage' | 'Proxying' | 'Plugins' | 'Node';

export interface SettingRow {
  readonly group: SettingGroup;
  /** Snake case. The environment variable is `TOLLGATE_` and the name in upper case. */
  readonly name: string;
  /** Kong's name where it differs; false when Kong has no such setting, so that there is no `KONG_` alias. */
  readonly kong?: string | false;
  /** The whole variable name, for the few that carry no prefix. */
  readonly variable?: string;
  /** Values are shown as `******`. */
  readonly isSecret?: boolean;
  /** One or more sentences in Markdown, units included. */
  readonly description: string;
}

/** A row whose setting always has a value: `default` is a text as an operator would give it. */
export interface DefaultedSetting<Value> extends SettingRow {
  readonly kind: SettingKind<Value>;
  readonly default: string;
}

/** A row whose setting may stay undefined; `absent` says in words what happens then. */
export interface OptionalSetting<Value> extends SettingRow {
  readonly kind: SettingKind<Value>;
  readonly absent: string;
}

export const defaulted = <Value>(row: DefaultedSetting<Value>): DefaultedSetting<Value> => row;
export const optional = <Value>(row: OptionalSetting<Value>): OptionalSetting<Value> => row;
