import { describe, expect, it } from 'vitest';
import { compileClientAddress, type RealIpSettings } from '../../../../core/gateway/client-address.ts';

function resolverOf(settings: Partial<RealIpSettings>) {
  return compileClientAddress({ trustedIps: [], realIpHeader: 'X-Real-IP', isRecursive: false, ...settings });
}

describe('the client address', () => {
  it('is the peer’s where nobody is trusted', () => {
    const resolve = resolverOf({});
    expect(resolve('10.0.0.1', ['x-real-ip', '1.1.1.1'])).toEqual({ address: '10.0.0.1', isTrusted: false });
  });

  it('is the peer’s where the peer is not trusted', () => {
    const resolve = resolverOf({ trustedIps: ['10.0.0.0/8'] });
    expect(resolve('11.0.0.1', ['x-real-ip', '1.1.1.1'])).toEqual({ address: '11.0.0.1', isTrusted: false });
  });

  it('comes from the header of a trusted peer', () => {
    const resolve = resolverOf({ trustedIps: ['10.0.0.0/8'] });
    expect(resolve('10.9.9.9', ['x-real-ip', '1.1.1.1'])).toEqual({ address: '1.1.1.1', isTrusted: true });
    expect(resolve('10.9.9.9', [])).toEqual({ address: '10.9.9.9', isTrusted: true });
    expect(resolve('10.9.9.9', ['x-real-ip', 'nonsense']).address).toBe('10.9.9.9');
  });

  it('is the last address of a list', () => {
    const resolve = resolverOf({ trustedIps: ['0.0.0.0/0'], realIpHeader: 'X-Forwarded-For' });
    expect(resolve('10.0.0.1', ['x-forwarded-for', '1.1.1.1, 2.2.2.2']).address).toBe('2.2.2.2');
    expect(resolve('10.0.0.1', ['x-forwarded-for', '1.1.1.1', 'x-forwarded-for', '3.3.3.3']).address).toBe(
      '3.3.3.3',
    );
  });

  describe('found recursively', () => {
    const resolve = resolverOf({
      trustedIps: ['127.0.0.1', '172.16.0.1', '192.168.0.1'],
      realIpHeader: 'X-Forwarded-For',
      isRecursive: true,
    });

    it('is the first untrusted one from the right', () => {
      const list = '127.0.0.1, 10.0.0.1, 192.168.0.1, 127.0.0.1, 172.16.0.1';
      expect(resolve('127.0.0.1', ['x-forwarded-for', list])).toEqual({
        address: '10.0.0.1',
        isTrusted: true,
      });
    });

    it('is the leftmost one where all are trusted', () => {
      expect(resolve('127.0.0.1', ['x-forwarded-for', '172.16.0.1, 192.168.0.1']).address).toBe('172.16.0.1');
    });

    it('is nothing left of what is no address', () => {
      expect(resolve('127.0.0.1', ['x-forwarded-for', '1.1.1.1, unknown, 172.16.0.1']).address).toBe(
        '172.16.0.1',
      );
    });
  });

  it('goes without a port and in its shortest form', () => {
    const resolve = resolverOf({ trustedIps: ['0.0.0.0/0', '::/0'] });
    const addressOf = (value: string) => resolve('::1', ['x-real-ip', value]).address;
    expect(addressOf('1.2.3.4:5678')).toBe('1.2.3.4');
    expect(addressOf('[2001:DB8:0:0::1]:443')).toBe('2001:db8::1');
    expect(addressOf('2001:DB8:0:0::1')).toBe('2001:db8::1');
    expect(addressOf('::ffff:1.2.3.4')).toBe('1.2.3.4');
  });

  it('trusts IPv6 blocks and single addresses', () => {
    const resolve = resolverOf({ trustedIps: ['2001:db8::/32', '::1', 'unix:'] });
    expect(['2001:db8::5', '2001:db9::5', '::1', '::2'].map((peer) => resolve(peer, []).isTrusted)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('refuses a trusted entry that is no address', () => {
    for (const entry of ['x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '10.0.0.0/-1']) {
      expect(() => resolverOf({ trustedIps: [entry] })).toThrow(entry);
    }
  });
});
