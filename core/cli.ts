#!/usr/bin/env node
/**
 * The program `tollgate`: reads the command line and the environment, and hands over. Exit codes: 0 done,
 * 1 failed, 2 wrong usage or settings.
 */
import { readFileSync } from 'node:fs';
import type { AuthoringCommand } from './authoring/parse-authoring.ts';
import { renderSettingsHelp } from './docs/render-settings-page.ts';
import { type Command, type MigrationAction, parseCommand, USAGE } from './parse-command.ts';
import type { PublishingCommand } from './publishing/parse-publishing.ts';
import { loadSettings, type Settings, SettingsError } from './settings/load-settings.ts';

const EXIT_FAILURE = 1;
const EXIT_MISUSE = 2;
/** One Ctrl-C under `npm start` arrives twice: from the terminal and, a moment later, forwarded by npm. */
const SAME_KEYPRESS_MS = 500;

async function runCommand(command: Command): Promise<number> {
  switch (command.kind) {
    case 'help':
      process.stdout.write(
        command.usage ?? `${USAGE}\nSettings (environment variable, default):\n${renderSettingsHelp()}\n`,
      );
      return 0;
    case 'version':
      process.stdout.write(`${readVersion()}\n`);
      return 0;
    case 'misuse':
      process.stderr.write(`tollgate: ${command.problem}\n\n${command.usage ?? USAGE}`);
      return EXIT_MISUSE;
    case 'start':
      return runNode(readSettings());
    case 'migrations':
      return runMigrations(command.action, readSettings());
    case 'plugin':
      return runPluginCommand(command.authoring);
    case 'publishing':
      return runPublishingCommand(command.publishing);
  }
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function readSettings(): Settings {
  const { settings, warnings } = loadSettings(process.env);
  for (const warning of warnings) process.stderr.write(`tollgate: ${warning}\n`);
  return settings;
}

/** Runs until the first signal has drained the node. A second signal ends the process at once. */
async function runNode(settings: Settings): Promise<number> {
  const signalled = waitForSignal();
  const { startNode } = await import('./main.ts');
  const node = await startNode(settings);
  await signalled;
  await node.stop();
  return 0;
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = () => {
      if (firstAtMs !== undefined && Date.now() - firstAtMs > SAME_KEYPRESS_MS) process.exit(EXIT_FAILURE);
      firstAtMs ??= Date.now();
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

async function runPluginCommand(command: AuthoringCommand): Promise<number> {
  const { runAuthoring } = await import('./authoring/run-authoring.ts');
  const show = (lines: readonly string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return runAuthoring(command, show, waitForSignal);
}

async function runPublishingCommand(command: PublishingCommand): Promise<number> {
  const { runPublishing } = await import('./publishing/run-publishing.ts');
  const lines = await runPublishing(command);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

async function runMigrations(action: MigrationAction, settings: Settings): Promise<number> {
  const { runMigrationAction } = await import('./run-migration-action.ts');
  const tell = (line: string) => process.stderr.write(`tollgate: ${line}\n`);
  const lines = await runMigrationAction(action, settings, tell);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

/** Failures whose message tells the operator everything; for others the stack says more. */
const SELF_EXPLAINING = new Set([
  'SchemaVersionError',
  'MigrationLockError',
  'MigrationError',
  'StoreUnavailableError',
  'ListenError',
  'DataPlaneStartError',
  'AuthoringError',
  'BundleError',
  'ArtefactError',
  'GatewayRefusal',
]);

function describeFailure(error: unknown): readonly string[] {
  if (error instanceof SettingsError) return error.problems;
  if (!(error instanceof Error)) return [String(error)];
  if (!SELF_EXPLAINING.has(error.name)) return [error.stack ?? error.message];
  const cause = error.cause instanceof Error ? `: ${error.cause.message || error.cause.name}` : '';
  return [`${error.message}${cause}`];
}

try {
  process.exitCode = await runCommand(parseCommand(process.argv.slice(2)));
  // Nothing is left to do; an open handle somewhere must not keep a stopped gateway alive.
  process.stdout.write('', () => process.exit());
} catch (error) {
  const text = describeFailure(error).map((line) => `tollgate: ${line}\n`);
  const exitCode = error instanceof SettingsError ? EXIT_MISUSE : EXIT_FAILURE;
  process.stderr.write(text.join(''), () => process.exit(exitCode));
}
