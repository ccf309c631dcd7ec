/** What an author asked for on the command line, behind the word `plugin`. Pure. */
import { parseArgs } from 'node:util';

export type AuthoringCommand =
  | { readonly action: 'new'; readonly folder: string; readonly name: string | undefined }
  | { readonly action: 'test'; readonly folder: string }
  /** `adminUrl`: of the gateway to try it in; undefined for the one that the settings name. */
  | { readonly action: 'dev'; readonly folder: string; readonly adminUrl: string | undefined }
  /** `out`: a folder. */
  | { readonly action: 'build'; readonly folder: string; readonly out: string | undefined }
  /** `out`: a file. */
  | { readonly action: 'pack'; readonly folder: string; readonly out: string | undefined };

type Action = AuthoringCommand['action'];

const OPTION_OF: Readonly<Record<Action, 'name' | 'out' | 'admin-url' | undefined>> = {
  new: 'name',
  test: undefined,
  dev: 'admin-url',
  build: 'out',
  pack: 'out',
};

export const AUTHORING_ACTIONS = Object.keys(OPTION_OF) as readonly Action[];

export const AUTHORING_USAGE = `  plugin new <folder>    write a plugin that passes its own tests; --name hello or @acme/hello
  plugin test [folder]   run its tests, with the plugin in an isolate
  plugin dev [folder]    serve what you save, in a gateway that runs or a new one; --admin-url url
  plugin build [folder]  bundle it into dist/ and check that it loads; --out folder
  plugin pack [folder]   write the one file that is published; --out file
`;

/** Undefined when the words are about something else. */
export function parseAuthoring(
  args: readonly string[],
): AuthoringCommand | { readonly problem: string } | undefined {
  const action = AUTHORING_ACTIONS.find((name) => name === args[0]);
  if (action === undefined) return undefined;
  const option = OPTION_OF[action];
  try {
    const { values, positionals } = parseArgs({
      args: args.slice(1),
      allowPositionals: true,
      options: option === undefined ? {} : { [option]: { type: 'string' } },
    });
    if (positionals.length > 1) return { problem: `plugin ${action} takes one folder` };
    const [folder] = positionals;
    if (folder === undefined && action === 'new') return { problem: 'plugin new needs a folder' };
    const value = option === undefined ? undefined : (values[option] as string | undefined);
    return commandOf(action, folder ?? '.', value);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function commandOf(action: Action, folder: string, value: string | undefined): AuthoringCommand {
  switch (action) {
    case 'new':
      return { action, folder, name: value };
    case 'test':
      return { action, folder };
    case 'dev':
      return { action, folder, adminUrl: value };
    default:
      return { action, folder, out: value };
  }
}
