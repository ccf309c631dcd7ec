/**
 * The environment, read once into frozen `Settings`. Everything wrong is reported together, by the name of the
 * variable, so that one start is enough to see it all.
 */
import {
  type AnySetting,
  listSettings,
  type SettingKey,
  type Settings,
  variablesOf,
} from './setting-table.ts';

export type { Settings } from './setting-table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface LoadedSettings {
  readonly settings: Settings;
  /** Sentences for the operator: variables that have no effect. */
  readonly warnings: readonly string[];
}

/** One or more settings cannot be used. The message has one line for each. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/**
 * Reads `TOLLGATE_*`, then the `KONG_*` aliases, then defaults; an empty variable counts as not set.
 * Throws SettingsError when a value cannot be used. Unknown `TOLLGATE_*` variables are warnings; other
 * `KONG_*` ones are ignored, since they may be meant for another program.
 */
export function loadSettings(environment: Environment): LoadedSettings {
  const values: Partial<Record<SettingKey, unknown>> = {};
  const givenKeys = new Set<SettingKey>();
  const problems: string[] = [];

  for (const { key, row } of listSettings()) {
    const given = findGiven(row, environment);
    if (given !== undefined) givenKeys.add(key);
    const source = given ?? { variable: variablesOf(row)[0], text: row.default };
    if (source.text === undefined) continue;
    const parsed = row.kind.parse(source.text);
    if ('value' in parsed) values[key] = parsed.value;
    else problems.push(describeProblem(row, source.variable, source.text, parsed.expected));
  }
  if (problems.length > 0) throw new SettingsError(problems);

  const isPostgresMeant = givenKeys.has('databaseUrl') || givenKeys.has('pgHost');
  values.database ??= isPostgresMeant ? 'postgres' : 'embedded';
  const settings = Object.freeze(values) as Settings;
  return { settings, warnings: listWarnings(environment, settings, givenKeys) };
}

interface GivenText {
  readonly variable: string;
  readonly text: string;
}

function findGiven(row: AnySetting, environment: Environment): GivenText | undefined {
  for (const variable of variablesOf(row)) {
    const text = environment[variable]?.trim();
    if (text !== undefined && text !== '') return { variable, text };
  }
  return undefined;
}

function describeProblem(row: AnySetting, variable: string, text: string, expected: string): string {
  const value = row.isSecret ? 'its value' : JSON.stringify(text);
  return `${variable}: ${value} cannot be used, expected ${expected.replaceAll('`', '"')}`;
}

function listWarnings(
  environment: Environment,
  settings: Settings,
  givenKeys: ReadonlySet<SettingKey>,
): readonly string[] {
  const known = new Set(listSettings().flatMap(({ row }) => variablesOf(row)));
  const warnings = Object.keys(environment)
    .filter((variable) => variable.startsWith('TOLLGATE_') && !known.has(variable))
    .toSorted()
    .map((variable) => `${variable} is not a setting and has no effect`);
  if (givenKeys.has('databaseUrl') && givenKeys.has('pgHost')) {
    warnings.push('DATABASE_URL and pg_host are both given: DATABASE_URL is used');
  }
  if (settings.database === 'embedded' && (givenKeys.has('databaseUrl') || givenKeys.has('pgHost'))) {
    warnings.push('database is "embedded": DATABASE_URL and the pg_ settings have no effect');
  }
  return warnings;
}
