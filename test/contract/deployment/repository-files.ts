/** The files a deployment is made of, as the programs that read them understand them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Dockerfile, DockerfileParser } from 'dockerfile-ast';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export const readText = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** Merge keys are Compose's way of sharing; yaml reads them only on demand. */
export const readYaml = <Content>(path: string): Content => parse(readText(path), { merge: true }) as Content;

export const readDockerfile = (): Dockerfile => DockerfileParser.parse(readText('Dockerfile'));

export interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const readCompose = (): ComposeFile => readYaml<ComposeFile>('compose.yaml');

/** `${NAME:-value}` as Compose fills it in when nobody has given NAME. */
export const interpolate = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
