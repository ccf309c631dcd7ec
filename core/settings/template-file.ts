/** A setting that names a file with a text to be filled in. It is read with the settings, so that a bad one ends the start. */
import { readFileSync } from 'node:fs';
import type { SettingKind } from './setting-kind.ts';

export interface TemplateFile {
  readonly path: string;
  readonly text: string;
}

const EXPECTS = 'the path of a readable file that holds `%s` twice';

export const templateFile: SettingKind<TemplateFile> = {
  expects: EXPECTS,
  parse: (path) => {
    try {
      const text = readFileSync(path, 'utf8');
      return text.split('%s').length === 3 ? { value: { path, text } } : { expected: EXPECTS };
    } catch {
      return { expected: EXPECTS };
    }
  },
  show: ({ path }) => path,
};
