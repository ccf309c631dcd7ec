import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createHostsFile, parseHosts } from '../../../../core/dns/hosts-file.ts';

it('knows every name of a line in any case, and skips what is no line of its kind', () => {
  const names = parseHosts(
    '# 10.0.0.9 commented\n10.0.0.1\tOne.test one # first\nnonsense two.test\n\n::1 one\n',
  );
  expect(Object.fromEntries(names)).toEqual({
    'one.test': ['10.0.0.1'],
    one: ['10.0.0.1', '::1'],
    localhost: ['127.0.0.1'],
  });
});

it('takes localhost as the file has it, where it has it', () => {
  expect(parseHosts('127.0.0.3 localhost').get('localhost')).toEqual(['127.0.0.3']);
});

it('prefers IPv4, notices changes after a while, and does without the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hosts-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'hosts');
  let nowMs = 0;
  const hosts = createHostsFile(path, () => nowMs);
  const ips = (host: string) => {
    const answer = hosts.find(host);
    return answer?.kind === 'found' ? answer.addresses.map(({ ip }) => ip) : undefined;
  };
  expect([ips('a.test'), ips('localhost')]).toEqual([undefined, ['127.0.0.1']]);
  writeFileSync(path, '::1 a.test\n10.0.0.1 a.test\n::2 b.test\n');
  expect(ips('a.test')).toBeUndefined();
  nowMs = 10_000;
  expect([ips('A.test'), ips('b.test'), ips('c.test')]).toEqual([['10.0.0.1'], ['::2'], undefined]);
});
