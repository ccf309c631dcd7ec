/** Settings that name files in PEM. They are read with the settings, so that a bad one ends the start. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SettingKind } from './setting-kind.ts';

export interface PemFile {
  readonly path: string;
  readonly text: string;
}

export const certificateFile = pemFile('certificate', (text) => void new X509Certificate(text));
export const keyFile = pemFile('private key', (text) => void createPrivateKey(text));

/** `check` throws for a text that is not what it should be. */
function pemFile(what: string, check: (text: string) => void): SettingKind<PemFile> {
  const expects = `the path of a readable file that holds a ${what} in PEM`;
  return {
    expects,
    parse: (path) => {
      try {
        const text = readFileSync(path, 'utf8');
        check(text);
        return { value: { path, text } };
      } catch {
        return { expected: expects };
      }
    },
    show: ({ path }) => path,
  };
}
