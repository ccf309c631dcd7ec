/** Starts one nginx from a configuration template of bench/nginx, apart from any the machine already runs. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../find-program.ts';
import { type OwnedProcess, startProcess } from '../owned-process.ts';

const TEMPLATE_FOLDER = join(import.meta.dirname, '..', 'nginx');
const execute = promisify(execFile);

export interface NginxBuild {
  readonly program: string;
  readonly version: string;
  /** Folder of the loadable modules; undefined when the build names none. */
  readonly moduleFolder: string | undefined;
}

/** Undefined when nginx is not installed. */
export async function findNginx(): Promise<NginxBuild | undefined> {
  const program = findProgram('nginx');
  if (program === undefined) return undefined;
  const { stderr } = await execute(program, ['-V']);
  return {
    program,
    version: /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown',
    moduleFolder: /--modules-path=(\S+)/.exec(stderr)?.[1],
  };
}

export interface NginxSettings {
  readonly program: string;
  /** File name in bench/nginx. */
  readonly template: string;
  /** Made when missing; nginx keeps everything it writes in here. */
  readonly folder: string;
  /** Values for the `{{name}}` places of the template. */
  readonly values: Readonly<Record<string, string | number>>;
}

export function startNginx({ program, template, folder, values }: NginxSettings): OwnedProcess {
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(join(TEMPLATE_FOLDER, template), 'utf8');
  const configuration = fillTemplate(text, { folder, source: TEMPLATE_FOLDER, ...values });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration);
  return startProcess({
    command: program,
    args: ['-p', folder, '-e', 'stderr', '-c', file],
    logFile: join(folder, 'output.log'),
  });
}

/** Throws for a place without a value: a half-filled configuration must not be measured. */
export function fillTemplate(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {{${name}}}`);
    return String(value);
  });
}
