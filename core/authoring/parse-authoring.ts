/** What an author asked for on the command line, behind the word `plugin`. Pure. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

export type AuthoringCommand =
  | { readonly action: 'new'; readonly folder: string; readonly name: string | undefined }
  | { readonly action: 'test'; readonly folder: string; readonly skipsTypes: boolean }
  /** `adminUrl`: of the gateway to try it in; undefined for the one that the settings name. */
  | { readonly action: 'dev'; readonly folder: string; readonly adminUrl: string | undefined }
  | {
      readonly action: 'build' | 'pack';
      readonly folder: string;
      /** A folder for `build`, a file for `pack`. */
      readonly out: string | undefined;
      readonly skipsTypes: boolean;
    }
  | { readonly action: 'docs'; readonly folder: string };

type Action = AuthoringCommand['action'];

const SKIP_TYPES = { 'skip-types': { type: 'boolean' } } as const;
const OUT = { out: { type: 'string' } } as const;

const OPTIONS: Readonly<Record<Action, ParseArgsOptionsConfig>> = {
  new: { name: { type: 'string' } },
  test: SKIP_TYPES,
  dev: { 'admin-url': { type: 'string' } },
  build: { ...OUT, ...SKIP_TYPES },
  pack: { ...OUT, ...SKIP_TYPES },
  docs: {},
};

export const AUTHORING_ACTIONS = Object.keys(OPTIONS) as readonly Action[];

export const AUTHORING_USAGE = `  plugin new <folder>    write a plugin that passes its own tests; --name hello or @acme/hello
  plugin test [folder]   check its types and run its tests, with the plugin in an isolate
  plugin dev [folder]    serve what you save, in a gateway that runs or a new one; --admin-url url
  plugin build [folder]  bundle it into dist/ and check that it loads; --out folder
  plugin pack [folder]   write the one file that is published; --out file
                         test, build and pack: --skip-types
  plugin docs [folder]   write the table of its configuration into its README
`;

/** Undefined when the words are about something else. */
export function parseAuthoring(
  args: readonly string[],
): AuthoringCommand | { readonly problem: string } | undefined {
  const action = AUTHORING_ACTIONS.find((name) => name === args[0]);
  if (action === undefined) return undefined;
  try {
    const { values, positionals } = parseArgs({
      args: args.slice(1),
      allowPositionals: true,
      options: OPTIONS[action],
    });
    if (positionals.length > 1) return { problem: `plugin ${action} takes one folder` };
    const [folder] = positionals;
    if (folder === undefined && action === 'new') return { problem: 'plugin new needs a folder' };
    const adminUrl = values['admin-url'];
    if (typeof adminUrl === 'string' && !URL.canParse(adminUrl)) {
      return { problem: '--admin-url must be a URL' };
    }
    return commandOf(action, folder ?? '.', values);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function commandOf(
  action: Action,
  folder: string,
  values: Readonly<Record<string, unknown>>,
): AuthoringCommand {
  const textOf = (option: string) => values[option] as string | undefined;
  const skipsTypes = values['skip-types'] === true;
  switch (action) {
    case 'new':
      return { action, folder, name: textOf('name') };
    case 'test':
      return { action, folder, skipsTypes };
    case 'dev':
      return { action, folder, adminUrl: textOf('admin-url') };
    case 'docs':
      return { action, folder };
    default:
      return { action, folder, out: textOf('out'), skipsTypes };
  }
}
