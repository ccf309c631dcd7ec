/**
 * Hears at once that the configuration has changed: a Postgres connection of its own that listens. It is opened again
 * for as long as it takes; whoever listens catches up then, since what was told meanwhile is lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { CHANGE_CHANNEL } from './change-log.ts';

export interface ListenerEvents {
  /** Changes up to this number were written; undefined when any may have been while nobody listened. */
  onChange(sequence: number | undefined): void;
  /** The connection broke; it may be the only one that did. */
  onLost(): void;
}

export interface ChangeListener {
  stop(): Promise<void>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1000;

/** `heartbeatMs`: how often a silent connection is asked whether it is still there. */
export function listenForChanges(
  createClient: () => pg.Client,
  heartbeatMs: number,
  events: ListenerEvents,
): ChangeListener {
  const stopping = new AbortController();
  const { signal } = stopping;

  const run = async (): Promise<void> => {
    let pauseMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const client = createClient();
      const broken = new Promise<void>((resolve) => {
        client.once('end', resolve);
        client.on('error', () => resolve());
      });
      try {
        client.on('notification', ({ payload }) => events.onChange(Number(payload)));
        await client.connect();
        await client.query(`listen ${CHANGE_CHANNEL}`);
        events.onChange(undefined);
        pauseMs = FIRST_RETRY_MS;
        await untilBroken(client, broken, heartbeatMs, signal);
      } catch {
        // Tried again below; whether the database is gone is for others to find out.
      }
      client.end().catch(() => {});
      if (signal.aborted) return;
      events.onLost();
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
    }
  };

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** A query that is not answered in time rejects: so does this. */
async function untilBroken(
  client: pg.Client,
  broken: Promise<void>,
  heartbeatMs: number,
  signal: AbortSignal,
): Promise<void> {
  let isBroken = false;
  const ended = broken.then(() => {
    isBroken = true;
  });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  while (!signal.aborted) {
    const beat = new AbortController();
    const pause = delay(heartbeatMs, undefined, { signal: beat.signal }).catch(() => {});
    await Promise.race([ended, stopped, pause]);
    beat.abort();
    if (isBroken || signal.aborted) return;
    await client.query('select 1');
  }
}
