/** The trace of a request on the wire: comes out as it went in, and nothing else comes out. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeTrace,
  decodeTraceExport,
  decodeTraceReport,
  encodeTrace,
  encodeTraceExport,
  encodeTraceReport,
  isTraceSampled,
  type TraceState,
} from '../../../../sdk/protocol/trace.ts';

const STATE: TraceState = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  upstreamSpanId: 'e457b5a2e4d86bd1',
  parentSpanId: '',
  isSampled: true,
  isRecording: false,
  hasLogs: true,
  isMadeUp: false,
  samplingRate: 1e-7,
};

describe('a trace', () => {
  it.each([
    STATE,
    {
      ...STATE,
      hasLogs: false,
      isMadeUp: true,
      parentSpanId: '05e3ac9a4f6e3b90',
      isSampled: false,
      isRecording: true,
      samplingRate: 0.01,
    },
  ])('comes out as it went in', (state) => {
    expect(decodeTrace(encodeTrace(state))).toEqual(state);
  });

  it.each([
    ['a trace id of zeros', { traceId: '0'.repeat(32) }],
    ['a trace id in upper case', { traceId: 'A'.repeat(32) }],
    ['a span id that is too long', { spanId: '1'.repeat(17) }],
    ['a parent that is no id', { parentSpanId: 'x' }],
    ['a rate above 1', { samplingRate: 1.1 }],
    ['an id with a line feed', { upstreamSpanId: '1111111111111111\n' }],
  ])('is refused with %s', (_, changes) => {
    expect(() => decodeTrace(encodeTrace({ ...STATE, ...changes }))).toThrow(RangeError);
  });
});

describe('a report', () => {
  const timing = { plugin: 'key-auth', startedAtMs: 1, endedAtMs: 2.5, error: '' };

  it('comes out as it went in, whatever a plugin has thrown', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.boolean(), (errors, hasState) => {
        const report = {
          state: hasState ? STATE : undefined,
          timings: errors.map((error) => ({ ...timing, error })),
        };
        expect(decodeTraceReport(encodeTraceReport(report))).toEqual(report);
      }),
    );
  });

  it.each([
    'x',
    '\n',
    '\n{}',
    '\n[1,2,3,4]',
    '\n["a",null,1,""]',
    '\nnull',
    `\n${'["a",1,1,""]\n'.repeat(300)}`,
  ])('is refused when it is %j', (text) => {
    expect(() => decodeTraceReport(text)).toThrow();
  });
});

it('names a trace to export and where it goes', () => {
  expect(decodeTraceExport(encodeTraceExport('a', '{"b":"\\n"}'))).toEqual({
    spanId: 'a',
    targetsJson: '{"b":"\\n"}',
  });
});

describe('a sampling rate', () => {
  it('of 0 takes none, of 1 takes all', () => {
    for (const traceId of ['f'.repeat(32), `${'0'.repeat(31)}1`]) {
      expect(isTraceSampled(traceId, 0)).toBe(false);
      expect(isTraceSampled(traceId, 1)).toBe(true);
    }
  });

  it('takes its share of random ids, and a higher rate all that a lower one takes', () => {
    const ids = Array.from({ length: 4000 }, (_, at) => {
      const digits = ((at + 0.5) / 4000) * 16 ** 13;
      return `4bf92f3577b34da6a3c${Math.floor(digits).toString(16).padStart(13, '0')}`;
    });
    const taken = (rate: number) => ids.filter((id) => isTraceSampled(id, rate));
    expect(taken(0.25)).toHaveLength(1000);
    expect(taken(0.5)).toEqual(expect.arrayContaining(taken(0.25)));
  });
});
