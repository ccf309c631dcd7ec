/** Something on its way to a guest. */
import { encodeFrame } from '../../sdk/protocol/frames.ts';
import type { ActiveCall } from './active-call.ts';

export interface QueuedFrame {
  readonly text: string;
  /** Whom the guest runs on receiving it; undefined where that is nobody or anybody. */
  readonly call: ActiveCall | undefined;
  /** It starts the call, so it can be sent again, to another isolate too. */
  readonly isStart: boolean;
}

export function startFrame(call: ActiveCall): QueuedFrame {
  return { text: encodeFrame(call.kind, call.id, call.payload), call, isStart: true };
}

export function joinFrames(frames: readonly QueuedFrame[]): string {
  let text = '';
  for (const frame of frames) text += frame.text;
  return text;
}
