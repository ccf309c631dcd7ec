/** Calls that are run again count once. */
import { expect, it } from 'vitest';
import type { TakeMemory } from '../../../../core/sandbox/counted-once.ts';
import { type HostCallContext, performHostCall } from '../../../../core/sandbox/host-calls.ts';
import { encodeCounterStore } from '../../../../sdk/protocol/counter-store.ts';
import { encodeTake, encodeTakeShared } from '../../../../sdk/protocol/host-call.ts';

type Memory = { -readonly [Key in keyof TakeMemory]: TakeMemory[Key] };

function startCall() {
  const memory: Memory = { retries: 0 };
  let counted = 0;
  const context: HostCallContext = {
    services: {
      findEntity: async () => null,
      listEntities: async () => [],
      takeCounters: (windows) => windows.map(() => counted++),
      takeSharedCounters: async (_, windows) => windows.map(() => counted++),
    },
    caller: undefined,
    permitted: {
      entities: new Set(),
      counters: new Set(['cluster']),
      crypto: false,
      egress: [],
      requestBody: false,
      traceExport: false,
    },
    memory,
    maxBodyBytes: 0,
  };
  let nowMs = 1000;
  const windowsOf = (keys: readonly string[]) => keys.map((key) => ({ key, limit: 5, expiresAtMs: nowMs++ }));
  return {
    runAgain: () => void memory.retries++,
    take: (...keys: string[]) => performHostCall('counters.take', encodeTake(windowsOf(keys), 1), context),
    takeShared: (...keys: string[]) =>
      performHostCall(
        'counters.takeShared',
        encodeTakeShared(encodeCounterStore({ kind: 'cluster' }), windowsOf(keys), 1),
        context,
      ),
    get counted() {
      return counted;
    },
  };
}

it('gets the reply of its first run, though the clock has gone on', async () => {
  const call = startCall();
  expect(call.take('a', 'b')).toBe('0,1');
  call.runAgain();
  expect(call.take('a', 'b')).toBe('0,1');
  call.runAgain();
  expect(call.take('a', 'b')).toBe('0,1');
  expect(call.counted).toBe(2);
});

it('gets it from a store that has not answered yet, too', async () => {
  const call = startCall();
  const first = call.takeShared('a');
  call.runAgain();
  expect(await call.takeShared('a')).toBe('0');
  expect(await first).toBe('0');
  expect(call.counted).toBe(1);
});

it('counts as often in a run as the plugin asks', () => {
  const call = startCall();
  expect([call.take('a'), call.take('a'), call.take('b')]).toEqual(['0', '1', '2']);
  call.runAgain();
  expect([call.take('a'), call.take('a'), call.take('b'), call.take('a')]).toEqual(['0', '1', '2', '3']);
  call.runAgain();
  expect([call.take('a'), call.take('a'), call.take('a')]).toEqual(['0', '1', '3']);
  expect(call.counted).toBe(4);
});

it('counts what only the later run asks for', async () => {
  const call = startCall();
  call.take('a');
  call.runAgain();
  expect(call.take('a', 'b')).toBe('1,2');
  expect(call.take('c')).toBe('3');
  expect(await call.takeShared('a')).toBe('4');
  expect(call.take('a')).toBe('0');
});
