/** What an operator asked for of published packages on the command line, behind the word `plugin`. Pure. */
import { parseArgs } from 'node:util';

export type PublishingCommand = { readonly adminUrl: string } & (
  | {
      readonly action: 'publish';
      /** An artefact, or the folder of a package that is packed on the way. */
      readonly path: string;
      readonly percent: string | undefined;
      readonly onError: string | undefined;
      readonly isDryRun: boolean;
    }
  | { readonly action: 'list'; readonly name: string | undefined }
  /** An artefact or a folder; no gateway is asked. */
  | { readonly action: 'inspect'; readonly path: string }
  | { readonly action: 'rollback'; readonly name: string }
);

const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8001';
export const PUBLISHING_ACTIONS = ['publish', 'list', 'rollback', 'inspect'] as const;

export const PUBLISHING_USAGE = `  plugin publish <path>  upload an artefact, or a folder packed on the way, to a running gateway;
                         --percent 10 for a part of its traffic, --on-error skip, --dry-run
  plugin list [name]     say which packages a running gateway has, or which versions of one
  plugin rollback <name> give all traffic back to the version before
                         all three: --admin-url ${DEFAULT_ADMIN_URL}
  plugin inspect <path>  say what an artefact, or a folder, may reach and how it is configured
`;

/** Undefined when the words are about something else. */
export function parsePublishing(
  args: readonly string[],
): PublishingCommand | { readonly problem: string } | undefined {
  const action = PUBLISHING_ACTIONS.find((name) => name === args[0]);
  if (action === undefined) return undefined;
  try {
    const { values, positionals } = parseArgs({
      args: args.slice(1),
      allowPositionals: true,
      options: {
        'admin-url': { type: 'string', default: DEFAULT_ADMIN_URL },
        ...(action === 'publish' && {
          percent: { type: 'string' },
          'on-error': { type: 'string' },
          'dry-run': { type: 'boolean' },
        }),
      },
    });
    const adminUrl = values['admin-url'].replace(/\/+$/, '');
    if (!URL.canParse(adminUrl)) return { problem: '--admin-url must be a URL' };
    const [word, ...surplus] = positionals;
    if (surplus.length > 0) return { problem: `plugin ${action} takes one argument` };
    if (action === 'list') return { action, adminUrl, name: word };
    if (word === undefined) {
      return { problem: `plugin ${action} needs ${action === 'rollback' ? 'a name' : 'a file or folder'}` };
    }
    if (action === 'inspect') return { action, adminUrl, path: word };
    if (action === 'rollback') return { action, adminUrl, name: word };
    const given = values as Readonly<Record<string, string | boolean | undefined>>;
    return {
      action,
      adminUrl,
      path: word,
      percent: given['percent'] as string | undefined,
      onError: given['on-error'] as string | undefined,
      isDryRun: given['dry-run'] === true,
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
