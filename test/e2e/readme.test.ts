/**
 * What the documentation tells a reader to type is typed here, in order, and what it shows is what comes out. A
 * block of `sh` is a command, and a fence without a language right behind it is its output. Only a block with a
 * comment `<!-- not run here: why -->` in front is left out. Files that a page names exist, and the example of the
 * SDK is the one that is type-checked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../core/crypto/issue-certificate.ts';
import { bundlePackage } from '../../core/sandbox/bundle-package.ts';
import { PluginIsolate } from '../../core/sandbox/plugin-isolate.ts';
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import { findFreePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The README comes first: the other pages build on its walkthrough. */
const PAGES = ['README.md', ...globSync(['docs/*.md', 'plugins/*/README.md'], { cwd: ROOT }).toSorted()];
const BLOCK = /(<!-- not run here: .+? -->\n)?^```sh\n(.*?)^```\n(?:```\n(.*?)^```\n)?/gms;
const EXAMPLE = new URL('../../plugins/example/index.ts', import.meta.url);
const ISOLATE_LIMITS = {
  memoryMb: 32,
  crossingTimeoutMs: 1000,
  phaseDeadlineMs: 1000,
  loadTimeoutMs: 5000,
  cacheEntries: 10,
  maxBodyBytes: 1000,
};
const MAX_LEFT_OUT = 3;
/** Blocks that are counted in one minute do not begin in its last seconds. */
const MINUTE_MS = 60_000;
const MINUTE_MARGIN_MS = 15_000;

interface Block {
  readonly title: string;
  readonly command: string;
  readonly output: string | undefined;
  readonly isLeftOut: boolean;
}

const blocks = PAGES.flatMap(readBlocks);

function readBlocks(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(BLOCK)].map((match) => {
    const [, mark, command = '', output] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return {
      title: `${page}:${line} ${command.split('\n')[0]}`,
      command,
      output,
      isLeftOut: mark !== undefined,
    };
  });
}

/** What differs from run to run. The length of a kept value stays, since Content-Length is compared too. */
function settle(output: string): string {
  return output
    .replaceAll('\r', '')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '(uuid)')
    .replace(/\b[0-9a-f]{32}\b/g, '(request id)')
    .replace(/("(?:created|updated)_at":)\d+/g, '$1(time)')
    .replace(/^(Date: ).+$/gm, '$1(date)')
    .replace(/^(X-Kong-\w+-Latency: )\d+$/gm, '$1(ms)')
    .replace(/^(RateLimit-Reset: |Retry-After: )\d+$/gm, '$1(seconds)')
    .trimEnd();
}

describe('the documentation', () => {
  let gateway: Gateway;
  let folder: string;
  let ports: ReadonlyMap<string, string>;
  const shells: ChildProcess[] = [];

  beforeAll(async () => {
    const tlsPort = await findFreePort();
    gateway = await startGateway({ listeners: [`127.0.0.1:${tlsPort} http2 ssl`] });
    folder = mkdtempSync(join(tmpdir(), 'tollgate-readme-'));
    await writeCertificates(folder);
    ports = new Map([
      ['8000', new URL(gateway.proxyUrl).port],
      ['8001', new URL(gateway.adminUrl).port],
      ['8100', new URL(gateway.statusUrl).port],
      ['8443', String(tlsPort)],
      ['9000', String(await findFreePort())],
    ]);
  });

  afterAll(async () => {
    for (const { pid } of shells) endGroup(pid);
    await gateway?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const withFreePorts = (text: string) =>
    text.replace(/\b(?:8000|8001|8100|8443|9000)\b/g, (port) => ports.get(port) ?? port);

  /** Types a block into a shell. Resolves to what it printed; throws when it fails. */
  const run = async (command: string): Promise<string> => {
    const outputPath = join(folder, '.output');
    const output = openSync(outputPath, 'w');
    const shell = spawn('sh', ['-e', '-c', withFreePorts(command)], {
      cwd: folder,
      env: { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` },
      stdio: ['ignore', output, output],
      // A group of its own, to be ended with what it leaves in the background.
      detached: true,
    });
    shells.push(shell);
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      shell.once('error', reject);
      shell.once('exit', resolve);
    });
    const printed = readFileSync(outputPath, 'utf8');
    if (exitCode !== 0)
      throw new Error(`exit code ${exitCode} (127: not installed); it printed:\n${printed}`);
    return printed;
  };

  it('has commands to run, and leaves few out', () => {
    expect(blocks.filter(({ isLeftOut }) => !isLeftOut).length).toBeGreaterThan(5);
    expect(blocks.filter(({ isLeftOut }) => isLeftOut).length).toBeLessThanOrEqual(MAX_LEFT_OUT);
  });

  it.for(blocks.filter(({ isLeftOut }) => !isLeftOut))('$title', { timeout: 60_000 }, async (block) => {
    await enterMinuteEarly();
    const printed = await run(block.command);
    if (block.output !== undefined) expect(settle(printed)).toBe(settle(withFreePorts(block.output)));
    else expect(printed).toBe('');
    if (block.command.includes('.listen(9000')) await untilAccepted(Number(ports.get('9000')));
  });
});

describe('the guides', () => {
  const guides = globSync(
    ['*.md', '{docs,sdk,core,bench,test}/*.md', 'core/decisions/*.md', 'plugins/*/*.md'],
    {
      cwd: ROOT,
    },
  ).toSorted();

  it.for(guides)('%s names files that are there', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const linked = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) =>
      join(ROOT, dirname(page), link),
    );
    expect(linked.filter((path) => !existsSync(path))).toEqual([]);
    const named = [...text.matchAll(/`([\w/.-]+\/[\w.-]+\.ts)`/g)].map(([, path = '']) => path);
    const homes = [ROOT, join(ROOT, dirname(page)), join(ROOT, 'core')];
    expect(named.filter((path) => !homes.some((home) => existsSync(join(home, path))))).toEqual([]);
  });

  it('show the example plugin that is type-checked', () => {
    const guide = readFileSync(join(ROOT, 'sdk/README.md'), 'utf8');
    expect(guide).toContain(`\`\`\`ts\n${readFileSync(EXAMPLE, 'utf8')}\`\`\`\n`);
  });

  it('show an example plugin that loads in an isolate', async () => {
    const bundle = await bundlePackage({ name: 'example', entries: [EXAMPLE] });
    const isolate = new PluginIsolate(bundle, ISOLATE_LIMITS, {
      onSaid: () => '',
      onCatastrophe: (message) => {
        throw new Error(message);
      },
    });
    const { plugins } = JSON.parse(String(isolate.call('describe'))) as PackageManifest;
    isolate.dispose();
    expect(plugins).toMatchObject([{ name: 'require-header', phases: ['access', 'response'] }]);
  });
});

async function enterMinuteEarly(): Promise<void> {
  const leftMs = MINUTE_MS - (Date.now() % MINUTE_MS);
  if (leftMs < MINUTE_MARGIN_MS) await delay(leftMs + 10);
}

/** What the guide about TLS takes for granted: a certificate for its reader's host name, and one of an authority. */
async function writeCertificates(folder: string): Promise<void> {
  const names = ['api.example.com', '*.example.org'];
  const pair = await issueCertificate({ commonName: 'api.example.com', names, validDays: 1 });
  const authority = await issueCertificate({
    commonName: 'ca',
    names: ['ca'],
    validDays: 1,
    isAuthority: true,
  });
  writeFileSync(join(folder, 'cert.pem'), pair.cert);
  writeFileSync(join(folder, 'key.pem'), pair.key);
  writeFileSync(join(folder, 'ca.pem'), authority.cert);
}

/** Resolves when something listens; the caller's time limit ends the wait. */
async function untilAccepted(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isAccepted = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isAccepted) return;
    await delay(20);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing was left in the background.
  }
}
