/** `tollgate plugin new`: a package that passes its own tests. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AuthoringError } from './authoring-error.ts';
import { describeDependencies } from './sdk-location.ts';

const TEMPLATE = fileURLToPath(new URL('./template/', import.meta.url));
const TEMPLATE_NAME = /my-plugin/g;
const TEXTS = ['index.ts', 'index.test.ts', 'README.md'];
const PACKAGE_NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?([a-z][a-z0-9-]*)$/;
const MAX_NAME_LENGTH = 60;
const VERSION = '0.1.0';

/** `name`: of the package, that of the folder by default. Returns lines to show. Throws AuthoringError. */
export function createPackage(folder: string, name = basename(resolve(folder))): readonly string[] {
  const pluginName = PACKAGE_NAME.exec(name)?.[1];
  if (pluginName === undefined || name.length > MAX_NAME_LENGTH) {
    throw new AuthoringError(
      `'${name}' cannot name a plugin: use lower case letters, digits and '-', as in 'hello' or '@acme/hello'`,
    );
  }
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new AuthoringError(`the folder ${folder} is not empty`);
  for (const file of TEXTS) {
    const text = readFileSync(join(TEMPLATE, file), 'utf8').replace(TEMPLATE_NAME, pluginName);
    writeFileSync(join(folder, file), text);
  }
  copyFileSync(join(TEMPLATE, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  // A file of that name in this repository would be in force here.
  copyFileSync(join(TEMPLATE, 'gitignore'), join(folder, '.gitignore'));
  writeFileSync(join(folder, 'package.json'), describePackage(name, realpathSync(folder)));
  return [`${name} is in ${folder}`, `next: tollgate plugin test ${folder}`];
}

function describePackage(name: string, folder: string): string {
  const manifest = {
    name,
    version: VERSION,
    type: 'module',
    main: 'index.ts',
    scripts: { test: 'node --test' },
    engines: { node: '>=24' },
    ...describeDependencies(folder),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
