/** What a guest says is taken apart by its grammar: anything else is refused, never passed on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePhaseOutcome } from '../../../../core/sandbox/decode-phase-outcome.ts';

interface Lines {
  readonly picks?: string;
  readonly consumer?: string;
  readonly credential?: string;
  readonly shared?: string;
  readonly changes?: string;
  readonly service?: readonly string[];
  readonly response?: readonly string[];
  readonly status?: string;
  readonly bodyKind?: string;
  readonly body?: string;
}

function encode(lines: Lines): string {
  const { service = [], response = [], body } = lines;
  return [
    lines.picks ?? '',
    lines.consumer ?? '',
    lines.credential ?? '',
    lines.shared ?? '',
    lines.changes ?? '',
    service.join('\0'),
    response.join('\0'),
    lines.status ?? '0',
    lines.bodyKind ?? '',
    ...(body === undefined ? [] : [body]),
  ].join('\n');
}

describe('the result of a phase', () => {
  it('is read line by line, with a body that may have lines of its own', () => {
    const outcome = decodePhaseOutcome(
      'X',
      encode({
        picks: '0,3',
        consumer: '{"id":"c"}',
        service: ['s', 'x-a', 'v'],
        response: ['r', 'x-b', '', 'a', 'x-c', 'w'],
        status: '401',
        bodyKind: 'text',
        body: 'a\nb\n',
      }),
    );
    expect(outcome).toMatchObject({
      kind: 'exit',
      picks: '0,3',
      consumer: '{"id":"c"}',
      serviceTriples: ['s', 'x-a', 'v'],
      responseTriples: ['r', 'x-b', '', 'a', 'x-c', 'w'],
      status: 401,
      body: 'a\nb\n',
    });
  });

  it('is the same frozen list for the upstream whenever the same is said', () => {
    const read = () => decodePhaseOutcome('P', encode({ service: ['s', 'x-a', 'v'] })).serviceTriples;
    expect(read()).toBe(read());
    expect(Object.isFrozen(read())).toBe(true);
    expect(decodePhaseOutcome('P', encode({})).serviceTriples).toBeNull();
  });

  it('is a failure with text in every member, whatever the guest put there', () => {
    const body = '{"plugin":1,"message":{"a":1}}';
    expect(decodePhaseOutcome('E', encode({ body })).failure).toMatchObject({
      plugin: '1',
      phase: 'undefined',
    });
  });

  it.each<[string, Lines]>([
    ['a status out of range', { status: '99' }],
    ['a status that is no number', { status: 'x' }],
    ['an unknown kind of body', { bodyKind: 'html' }],
    ['operations that are no triples', { service: ['s', 'x'] }],
    ['an unknown operation', { response: ['z', 'x-a', 'v'] }],
    ['a header name that is no token', { response: ['s', 'x a', 'v'] }],
    ['an empty header name', { response: ['s', '', 'v'] }],
    ['a header value with CR', { service: ['s', 'x-a', 'a\rb'] }],
    ['a header value with NUL', { service: ['s', 'x-a', 'a\0b'] }],
    ['a consumer that is no object', { consumer: '"c"' }],
    ['a consumer that is no JSON', { consumer: '{' }],
    ['shared values that are no JSON', { shared: 'garbage' }],
    ['changes that are no object', { changes: '1' }],
    ['a method with a request in it', { changes: JSON.stringify({ method: 'GET / HTTP/1.1\r\n' }) }],
    ['a path with a line end', { changes: JSON.stringify({ path: '/a\r\nb' }) }],
    ['a path that is relative', { changes: JSON.stringify({ path: 'a' }) }],
    ['a query with a space', { changes: JSON.stringify({ rawQuery: 'a b' }) }],
    [
      'a query that would be cut down to a line end',
      { changes: JSON.stringify({ rawQuery: 'a\u010d\u010a' }) },
    ],
    ['a body that is not bytes', { changes: JSON.stringify({ body: '\u0100' }) }],
    ['a method that is no text', { changes: JSON.stringify({ method: {} }) }],
  ])('is refused with %s', (_, lines) => {
    expect(() => decodePhaseOutcome('P', encode(lines))).toThrow();
  });

  const target = (host: unknown, port: unknown) => JSON.stringify({ target: { host, port } });

  it.each<[string, string]>([
    ['a host with a line end', target('a\r\nb', 80)],
    ['a host with a port of its own', target('a:81', 80)],
    ['a host that is a path', target('a/b', 80)],
    ['an empty host', target('', 80)],
    ['a host that is no text', target(['a'], 80)],
    ['a port out of range', target('a', 65_536)],
    ['a port that is no number', target('a', '80')],
    ['a target that is no object', '{"target":null}'],
    ['an unknown scheme', '{"scheme":"file"}'],
    ['too many retries', '{"retries":32768}'],
    ['retries that are no number', '{"retries":"1"}'],
    ['two timeouts', '{"timeouts":[1,2]}'],
    ['a timeout of nothing', '{"timeouts":[1,2,0]}'],
    ['timeouts that are no list', '{"timeouts":{"length":3}}'],
  ])('is refused with %s, whatever the package may do', (_, changes) => {
    expect(() => decodePhaseOutcome('P', encode({ changes }), true)).toThrow(RangeError);
  });

  it.each([target('a.b', 80), target('::1', 0), target('10.0.0.1', 65_535), '{"scheme":"https"}'])(
    'names where the request goes only for a package that may: %s',
    (changes) => {
      expect(decodePhaseOutcome('P', encode({ changes }), true).changes).toEqual(JSON.parse(changes));
      expect(() => decodePhaseOutcome('P', encode({ changes }))).toThrow("does not ask for 'serviceTarget'");
    },
  );

  it('is refused when lines are missing, and never lets a line end into a head', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '0',
            '200',
            's\0x-a\0v',
            'a\0x-a\0\rb',
            's\0x-a',
            'x-a',
            '',
            'text',
            '{}',
            'a\rb',
            'null',
          ),
        ),
        (lines) => {
          let outcome: ReturnType<typeof decodePhaseOutcome> | undefined;
          try {
            outcome = decodePhaseOutcome('P', lines.join('\n'));
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            return;
          }
          expect(lines.length).toBeGreaterThanOrEqual(9);
          const { serviceTriples, responseTriples } = outcome;
          for (const part of [...(serviceTriples ?? []), ...(responseTriples ?? [])])
            expect(part).not.toMatch(/[\r\n\0]/);
        },
      ),
    );
  });
});
