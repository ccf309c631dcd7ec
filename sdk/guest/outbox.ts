/** What the guest has to say to the host, and the host calls it is waiting for. */
import { encodeFrame, GUEST_FRAMES } from '../protocol/frames.ts';
import { decodeValue, encodeHostCall, type HostCallName, type HostCalls } from '../protocol/host-call.ts';
import { SlotTable } from '../protocol/slot-table.ts';
import type { CallState } from './call-state.ts';

interface Waiting {
  readonly number: number;
  /** The call that stands still meanwhile; undefined for host calls that belong to none. */
  readonly call: CallState | undefined;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

const waiting = new SlotTable<Waiting>();
let frames = '';
/** The host is asked for something in `frames`. */
let isAsking = false;
let onFrames: () => void = () => {};

export function emitFrame(kind: string, id: number, payload: string): void {
  if (frames === '') onFrames();
  frames += encodeFrame(kind, id, payload);
}

/** `listener` is called when there is something to say again; it must not take it at once. */
export function listenForFrames(listener: () => void): void {
  onFrames = listener;
}

/** How much there is to say. */
export function countEmitted(): number {
  return frames.length;
}

/** Whether the host has to reply to what there is to say. */
export function isHostAsked(): boolean {
  return isAsking;
}

export function takeFrames(): string {
  const taken = frames;
  frames = '';
  isAsking = false;
  return taken;
}

/** What was taken did not reach the host: it is taken again. */
export function restoreFrames(taken: string): void {
  frames = taken + frames;
  isAsking = true;
}

/**
 * A host call of one request, which stands still meanwhile; or, without `call`, one that belongs to no single
 * request and outlives the one that happened to ask first.
 */
export function callHost<Name extends HostCallName>(
  name: Name,
  argument: HostCalls[Name]['argument'],
  call?: CallState,
): Promise<HostCalls[Name]['reply']> {
  const number = waiting.reserve();
  isAsking = true;
  emitFrame(GUEST_FRAMES.hostCall, call?.id ?? 0, encodeHostCall(number, name, argument));
  call?.pause();
  return new Promise((resolve, reject) => {
    waiting.put(number, { number, call, resolve: resolve as (reply: unknown) => void, reject });
  });
}

/** Settles a host call with the host's answer: its number, then a value or, when `failed`, a message. */
export function settleHostCall(payload: string, failed: boolean): void {
  const lineEnd = payload.indexOf('\n');
  const number = Number(payload.slice(0, lineEnd));
  const asked = waiting.get(number);
  if (asked === undefined) return;
  waiting.delete(number);
  asked.call?.wake();
  const body = payload.slice(lineEnd + 1);
  if (failed) asked.reject(new Error(body));
  else asked.resolve(decodeValue(body));
}

/** Forgets what a cancelled call waits for. */
export function forgetHostCalls(callId: number): void {
  for (const { number, call } of waiting.list()) if (call?.id === callId) waiting.delete(number);
}
