/** What the operator asked for on the command line. Pure: it reads words and returns a value. */
import { parseArgs } from 'node:util';
import {
  AUTHORING_ACTIONS,
  AUTHORING_USAGE,
  type AuthoringCommand,
  parseAuthoring,
} from './authoring/parse-authoring.ts';
import {
  PUBLISHING_ACTIONS,
  PUBLISHING_USAGE,
  type PublishingCommand,
  parsePublishing,
} from './publishing/parse-publishing.ts';

export const MIGRATION_ACTIONS = ['bootstrap', 'up', 'finish', 'status'] as const;
export type MigrationAction = (typeof MIGRATION_ACTIONS)[number];

export type Command =
  | { readonly kind: 'start' }
  | { readonly kind: 'migrations'; readonly action: MigrationAction }
  | { readonly kind: 'plugin'; readonly authoring: AuthoringCommand }
  | { readonly kind: 'publishing'; readonly publishing: PublishingCommand }
  /** `usage` undefined: all there is, settings included. */
  | { readonly kind: 'help'; readonly usage?: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'misuse'; readonly problem: string; readonly usage?: string };

export const USAGE = `Usage: tollgate <command>

Commands:
  start                  run the gateway until SIGTERM or SIGINT
  migrations bootstrap   prepare an empty database
  migrations up          bring the database to this version; nodes of the version before serve on
  migrations finish      take away what only they needed, once all of them are gone
  migrations status      say what has been and what would be done
${AUTHORING_USAGE}${PUBLISHING_USAGE}
Options:
  -h, --help             show this text and all settings
  -v, --version          show the version
`;

export const PLUGIN_USAGE = `Usage: tollgate plugin <command>

Commands:
${AUTHORING_USAGE}${PUBLISHING_USAGE}`;

/** The command in the arguments after the program's name. Misuse is a value, not an error. */
export function parseCommand(args: readonly string[]): Command {
  if (args[0] === 'plugin') {
    if (args.includes('--help') || args.includes('-h')) return { kind: 'help', usage: PLUGIN_USAGE };
    return parsePluginCommand(args.slice(1));
  }
  const parsed = readArguments(args);
  if ('problem' in parsed) return { kind: 'misuse', problem: parsed.problem };
  if (parsed.help) return { kind: 'help' };
  if (parsed.version) return { kind: 'version' };
  const [word, action, ...surplus] = parsed.words;
  if (word === undefined) return { kind: 'misuse', problem: 'a command is missing' };
  if (word === 'start' && action === undefined) return { kind: 'start' };
  if (word === 'migrations' && surplus.length === 0) {
    const known = MIGRATION_ACTIONS.find((name) => name === action);
    if (known !== undefined) return { kind: 'migrations', action: known };
    return { kind: 'misuse', problem: `migrations needs one of ${MIGRATION_ACTIONS.join(', ')}` };
  }
  return { kind: 'misuse', problem: `unknown command: ${parsed.words.join(' ')}` };
}

function parsePluginCommand(args: readonly string[]): Command {
  const misuse = (problem: string): Command => ({ kind: 'misuse', problem, usage: PLUGIN_USAGE });
  const publishing = parsePublishing(args);
  if (publishing !== undefined) {
    if ('problem' in publishing) return misuse(publishing.problem);
    return { kind: 'publishing', publishing };
  }
  const authoring = parseAuthoring(args);
  if (authoring !== undefined) {
    if ('problem' in authoring) return misuse(authoring.problem);
    return { kind: 'plugin', authoring };
  }
  const actions = [...AUTHORING_ACTIONS, ...PUBLISHING_ACTIONS];
  return misuse(`plugin needs one of ${actions.join(', ')}`);
}

interface ReadArguments {
  readonly help: boolean;
  readonly version: boolean;
  readonly words: readonly string[];
}

function readArguments(args: readonly string[]): ReadArguments | { readonly problem: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
    return { help: values.help === true, version: values.version === true, words: positionals };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
