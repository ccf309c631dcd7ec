/** A real Kong that somebody else started: seeded through its Admin API, measured when its processes can be seen. */
import { readdirSync } from 'node:fs';
import { listProcessTree, readCommandLine } from '../process-usage.ts';
import { clearGateway, seedGateway } from '../seed-gateway.ts';
import { type RunningSubject, type Subject, type SubjectSettings, SubjectUnavailable } from './subject.ts';

export const kongSubject: Subject = {
  name: 'kong',
  scenarios: ['plain', 'three-plugins'],
  start: startKong,
};

/** True when the environment names a Kong: the upstream may then have to listen beyond loopback. */
export function isKongGiven(): boolean {
  return process.env['KONG_PROXY_URL'] !== undefined && process.env['KONG_ADMIN_URL'] !== undefined;
}

async function startKong({ upstreamPort, workers }: SubjectSettings): Promise<RunningSubject> {
  const proxyUrl = process.env['KONG_PROXY_URL']?.replace(/\/+$/, '');
  const adminUrl = process.env['KONG_ADMIN_URL']?.replace(/\/+$/, '');
  if (proxyUrl === undefined || adminUrl === undefined) {
    throw new SubjectUnavailable('KONG_PROXY_URL and KONG_ADMIN_URL are not both set');
  }
  const version = await readVersion(adminUrl);
  const upstreamUrl = `http://${process.env['KONG_UPSTREAM_HOST'] ?? '127.0.0.1'}:${upstreamPort}`;
  try {
    await seedGateway(adminUrl, upstreamUrl);
  } catch (error) {
    await clearGateway(adminUrl);
    throw error;
  }
  const masterPid = findMasterPid();
  warnAboutWorkers(masterPid, workers);
  return {
    version,
    proxyUrl,
    metricsUrl: `${adminUrl}/metrics`,
    processes: () =>
      masterPid === undefined ? [] : listProcessTree(masterPid).map(({ pid }) => ({ pid, part: 'kong' })),
    readOutput: () => '',
    stop: () => clearGateway(adminUrl),
  };
}

async function readVersion(adminUrl: string): Promise<string> {
  const answer = await fetch(adminUrl, { signal: AbortSignal.timeout(10_000) });
  const node: unknown = await answer.json();
  const isNode = typeof node === 'object' && node !== null && 'version' in node;
  return isNode ? String(node.version) : 'unknown';
}

/** The process of KONG_PID, else the only nginx master whose command line says kong (a container's is visible too). */
function findMasterPid(): number | undefined {
  const given = process.env['KONG_PID'];
  if (given !== undefined) return Number(given);
  const masters = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => /nginx: master process.*kong/.test(readCommandLine(pid).join(' ')));
  return masters.length === 1 ? masters[0] : undefined;
}

function warnAboutWorkers(masterPid: number | undefined, wanted: number): void {
  if (masterPid === undefined) {
    console.error(
      'kong: its processes cannot be seen from here (set KONG_PID); CPU and memory stay unknown.',
    );
    return;
  }
  const found = listProcessTree(masterPid).filter(({ pid }) =>
    readCommandLine(pid).join(' ').startsWith('nginx: worker process'),
  ).length;
  if (found !== wanted) {
    console.error(
      `kong: runs ${found} workers, the others ${wanted} (KONG_NGINX_WORKER_PROCESSES changes it).`,
    );
  }
}
