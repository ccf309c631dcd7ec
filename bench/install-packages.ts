/** Runs bench/install.sh where that can work: as root, with apt-get, and only when something is missing. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { findNginx } from './subjects/start-nginx.ts';

/** Never throws: a subject that is still missing afterwards is left out with a message of its own. */
export async function installPackages(): Promise<void> {
  const canInstall = process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
  if (!canInstall || !(await isSomethingMissing())) return;
  console.error('Installing wrk, nginx and its Lua module (--no-install prevents it) …');
  const { status } = spawnSync('sh', [join(import.meta.dirname, 'install.sh')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  });
  if (status !== 0) console.error('Not everything could be installed; what is missing is left out.');
}

async function isSomethingMissing(): Promise<boolean> {
  const folder = (await findNginx())?.moduleFolder;
  const hasLua = folder !== undefined && existsSync(join(folder, 'ngx_http_lua_module.so'));
  return !hasLua || findProgram('wrk') === undefined;
}
