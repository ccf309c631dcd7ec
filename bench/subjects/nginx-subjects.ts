/** nginx as a plain proxy (the baseline) and nginx with hand-written Lua. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '../free-port.ts';
import { answersOk, waitUntilReady } from '../owned-process.ts';
import { listProcessTree } from '../process-usage.ts';
import { CONSUMER_KEY, CONSUMER_NAME, REQUESTS_PER_MINUTE, SCENARIO_PATHS } from '../scenario.ts';
import { findNginx, type NginxBuild, startNginx } from './start-nginx.ts';
import { type RunningSubject, type Subject, type SubjectSettings, SubjectUnavailable } from './subject.ts';

const READY_TIMEOUT_MS = 10_000;

export const nginxSubject: Subject = {
  name: 'nginx',
  scenarios: ['plain', 'three-plugins'],
  start: async (settings) => startProxy(await requireNginx(), 'plain.conf', {}, settings),
};

export const nginxLuaSubject: Subject = {
  name: 'nginx-lua',
  scenarios: ['three-plugins'],
  start: async (settings) => {
    const build = await requireNginx();
    const values = {
      modules: requireLuaModules(build),
      key: CONSUMER_KEY,
      consumer: CONSUMER_NAME,
      limit: REQUESTS_PER_MINUTE,
    };
    const running = await startProxy(build, 'lua.conf', values, settings);
    return { ...running, metricsUrl: `${running.proxyUrl}/metrics` };
  },
};

async function startProxy(
  build: NginxBuild,
  template: string,
  values: Readonly<Record<string, string | number>>,
  { folder, upstreamPort, workers }: SubjectSettings,
): Promise<RunningSubject> {
  const listen = `127.0.0.1:${await findFreePort()}`;
  const nginx = startNginx({
    program: build.program,
    template,
    folder,
    values: { listen, workers, upstream: `127.0.0.1:${upstreamPort}`, ...values },
  });
  await waitUntilReady(nginx, () => answersOk(`http://${listen}${SCENARIO_PATHS.plain}`), READY_TIMEOUT_MS);
  return {
    version: build.version,
    proxyUrl: `http://${listen}`,
    metricsUrl: undefined,
    processes: () => listProcessTree(nginx.pid).map(({ pid }) => ({ pid, part: 'nginx' })),
    readOutput: nginx.readOutput,
    stop: nginx.stop,
  };
}

async function requireNginx(): Promise<NginxBuild> {
  const build = await findNginx();
  if (build === undefined) {
    throw new SubjectUnavailable('nginx is not installed (bench/install.sh installs it on Debian)');
  }
  return build;
}

function requireLuaModules({ moduleFolder }: NginxBuild): string {
  const modules = ['ndk_http_module.so', 'ngx_http_lua_module.so'];
  if (moduleFolder !== undefined && modules.every((file) => existsSync(join(moduleFolder, file)))) {
    return moduleFolder;
  }
  throw new SubjectUnavailable('the Lua module of nginx is missing (bench/install.sh installs it on Debian)');
}
