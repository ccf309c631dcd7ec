import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileIpSet } from '../../../sdk/ip-set.ts';

describe('a set of addresses', () => {
  it('holds single addresses and ranges of both kinds', () => {
    const set = compileIpSet(['10.1.2.3', '192.168.0.0/23', '2001:db8::/33', '::1']);
    for (const inside of ['10.1.2.3', '192.168.0.0', '192.168.1.255', '2001:DB8:7fff::1', '0:0:0:0:0:0:0:1'])
      expect([inside, set.has(inside)]).toEqual([inside, true]);
    for (const outside of ['10.1.2.4', '192.168.2.0', '192.167.255.255', '2001:db8:8000::', '::', '::2'])
      expect([outside, set.has(outside)]).toEqual([outside, false]);
  });

  it('takes the address in front of a prefix for any address of the range', () => {
    expect(compileIpSet(['10.9.8.7/8']).has('10.0.0.0')).toBe(true);
    expect(compileIpSet(['0.0.0.0/0']).has('255.255.255.255')).toBe(true);
    expect(compileIpSet(['0.0.0.0/0']).has('::')).toBe(false);
    expect(compileIpSet(['::/0']).has('1.2.3.4')).toBe(false);
  });

  it('knows an IPv4 address that comes mapped into IPv6', () => {
    expect(compileIpSet(['10.0.0.0/8']).has('::ffff:10.1.1.1')).toBe(true);
    expect(compileIpSet(['10.0.0.0/8']).has('::ffff:a01:101')).toBe(true);
    expect(compileIpSet(['::ffff:10.0.0.0/104']).has('10.200.0.1')).toBe(true);
  });

  it('finds its way through ranges that overlap', () => {
    const set = compileIpSet(['10.0.0.0/8', '10.1.0.0/16', '10.255.255.255', '11.0.0.0/32', '10.0.0.0/30']);
    expect(['10.1.5.5', '10.254.0.1', '10.255.255.255', '11.0.0.0'].every(set.has)).toBe(true);
    expect(set.has('11.0.0.1')).toBe(false);
  });

  it('is empty without entries, and holds nothing that is no address', () => {
    expect(compileIpSet([]).has('1.1.1.1')).toBe(false);
    for (const odd of ['', 'localhost', '1.1.1', '1.1.1.1.1', '1.1.1.1 ', '::1%lo', 'ffff'])
      expect(compileIpSet(['0.0.0.0/0', '::/0']).has(odd)).toBe(false);
  });

  it.each(['', 'x', '1.2.3.4/33', '::/129', '1.2.3.4/-1', '1.2.3/8', '::ffff:1.2.3.4/8'])(
    'cannot be made of %j',
    (entry) => {
      expect(() => compileIpSet([entry])).toThrow(TypeError);
    },
  );

  it('agrees with the platform on any list', () => {
    // Nothing near ::ffff:0:0/96, where the platform finds all of IPv4.
    const address = fc.oneof(
      fc.ipV4(),
      fc
        .ipV6()
        .map((text) => text.replace(/^[^:]*:/, '2001:'))
        .filter(isIPv6),
    );
    const entry = fc.tuple(address, fc.integer({ min: 1, max: 128 }));
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 8 }),
        fc.array(address, { maxLength: 8 }),
        (entries, asked) => {
          const platform = new BlockList();
          const texts = entries.map(([ip, wanted]) => {
            const family = ip.includes(':') ? 'ipv6' : 'ipv4';
            const bits = family === 'ipv4' ? Math.min(wanted, 32) : Math.max(wanted, 3);
            platform.addSubnet(ip, bits, family);
            return `${ip}/${bits}`;
          });
          const set = compileIpSet(texts);
          for (const ip of [...asked, ...entries.map(([first]) => first)]) {
            expect([texts, ip, set.has(ip)]).toEqual([
              texts,
              ip,
              platform.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4'),
            ]);
          }
        },
      ),
    );
  });
});
