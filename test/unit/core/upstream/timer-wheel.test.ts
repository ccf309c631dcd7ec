import { afterEach, describe, expect, it } from 'vitest';
import { TimerWheel, type WheelTimer } from '../../../../core/upstream/timer-wheel.ts';

let wheel: TimerWheel | undefined;
afterEach(() => wheel?.stop());

/** A wheel on a clock of its own; `runTo` moves it in steps of 10 ms. */
function createClock() {
  let nowMs = 1000;
  const created = new TimerWheel(() => nowMs);
  wheel = created;
  const fired: [name: string, atMs: number][] = [];
  const timer = (name: string, then: () => void = () => undefined): WheelTimer =>
    created.createTimer({
      onTimerExpired: () => {
        fired.push([name, nowMs - 1000]);
        then();
      },
    });
  const runTo = (atMs: number, stepMs = 10): void => {
    while (nowMs < 1000 + atMs) {
      nowMs = Math.min(1000 + atMs, nowMs + stepMs);
      created.advance();
    }
  };
  return { wheel: created, fired, timer, runTo };
}

describe('a timer', () => {
  it.each([1, 50, 99, 200, 1234, 60_000, 102_400, 500_000])(
    'armed for %d ms fires within a tick behind that',
    (delayMs) => {
      const { fired, timer, runTo } = createClock();
      runTo(37);
      timer('a').arm(delayMs);
      runTo(37 + delayMs - 1);
      expect(fired).toEqual([]);
      runTo(37 + delayMs + 60);
      expect(fired).toHaveLength(1);
      runTo(37 + 2 * delayMs + 200);
      expect(fired).toHaveLength(1);
    },
  );

  it('fires at its last deadline only, moved later or earlier', () => {
    const { fired, timer, runTo } = createClock();
    const later = timer('later');
    const earlier = timer('earlier');
    later.arm(100);
    earlier.arm(60_000);
    later.arm(1000);
    earlier.arm(200);
    runTo(900);
    expect(fired.map(([name]) => name)).toEqual(['earlier']);
    runTo(1100);
    expect(fired.map(([name]) => name)).toEqual(['earlier', 'later']);
    runTo(70_000, 100);
    expect(fired).toHaveLength(2);
  });

  it('does not fire when disarmed or disposed, and leaves the wheel', () => {
    const { wheel: ours, fired, timer, runTo } = createClock();
    const disarmed = timer('disarmed');
    const disposed = timer('disposed');
    disarmed.arm(100);
    disposed.arm(100);
    disarmed.disarm();
    disposed.dispose();
    expect(ours.size).toBe(1);
    runTo(500);
    expect(fired).toEqual([]);
    expect(ours.size).toBe(0);
  });

  it('may be armed again by its own expiry', () => {
    const { fired, timer, runTo } = createClock();
    let times = 0;
    const again: WheelTimer = timer('again', () => {
      if (++times < 3) again.arm(100);
    });
    again.arm(100);
    runTo(1000);
    expect(fired).toHaveLength(3);
  });

  it('does not fire when another one of the same round disposes it', () => {
    const { fired, timer, runTo } = createClock();
    const victim = timer('victim');
    timer('killer', () => victim.dispose()).arm(200);
    victim.arm(300);
    runTo(1000, 1000);
    expect(fired.map(([name]) => name)).toEqual(['killer']);
  });

  it('fires after the clock has jumped over whole turns of the wheel', () => {
    const { fired, timer, runTo } = createClock();
    timer('short').arm(100);
    timer('long').arm(250_000);
    runTo(240_000, 240_000);
    expect(fired.map(([name]) => name)).toEqual(['short']);
    runTo(400_000, 160_000);
    expect(fired.map(([name]) => name)).toEqual(['short', 'long']);
  });
});
