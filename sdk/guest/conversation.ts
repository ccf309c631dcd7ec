/**
 * When the guest speaks: as soon as every call either waits for the host or is over. Often that is so when all frames
 * have been heard; else it is in the middle of the crossing, where the host performs what it is asked for at once, if it
 * can. So nearly every call begins and ends in one crossing.
 */
import { decodeFrames, TELL_HOST } from '../protocol/frames.ts';
import { motion } from './call-state.ts';
import { countEmitted, isHostAsked, listenForFrames, restoreFrames, takeFrames } from './outbox.ts';

/**
 * A call in motion that says nothing for so many turns of the queue of promise reactions holds the others up no
 * longer: it may wait for something that never comes.
 */
const PATIENCE = 32;

/**
 * Longer texts lie outside of V8's heap, and those that are returned stay there until the host collects everything, which it
 * does once they are half a gigabyte (measured). What is told to the host goes with its next small collection.
 */
const MAX_RETURNED = 1024;

type Receive = (kind: string, id: number, payload: string) => void;

/** Taken away before any plugin is loaded: this module is among the first of a bundle. */
const tellHost = takeTellHost();
let receive: Receive = () => {};
let isHearing = false;
let isTalking = false;
/** On its way to the host: as the result of `hear`, and by `tellHost`. */
let returned = '';
let spoken = '';

/** `receiver` hears what the host replies. */
export function startConversation(receiver: Receive): void {
  receive = receiver;
  listenForFrames(() => {
    if (!isTalking && !isHearing) void talk();
  });
}

/** Takes what the host has for the guest. Returns what the guest has to say, if that is all for this crossing. */
export function hear(frames: string): string {
  returned = '';
  isHearing = true;
  decodeFrames(frames, 0, receive);
  isHearing = false;
  if (countEmitted() === 0 || isTalking) return '';
  if (motion.count > 0 || isHostAsked() || countEmitted() >= MAX_RETURNED) {
    void talk();
    return '';
  }
  returned = takeFrames();
  return returned;
}

/** A crossing was cut short, and with it the promise reactions that were due. Call at the beginning of the next. */
export function resumeConversation(): void {
  restoreFrames(returned + spoken);
  spoken = '';
  isHearing = false;
  isTalking = false;
}

async function talk(): Promise<void> {
  isTalking = true;
  do {
    await untilQuiet();
    tell();
    await untilQuiet();
  } while (countEmitted() > 0);
  isTalking = false;
}

/** Nothing runs in an isolate but promise reactions: they are let go first, turn by turn. */
async function untilQuiet(): Promise<void> {
  let idleTurns = 0;
  let emitted = -1;
  do {
    await undefined;
    const isSilent = emitted === countEmitted();
    idleTurns = isSilent ? idleTurns + 1 : 0;
    emitted = countEmitted();
  } while (motion.count > 0 && idleTurns < PATIENCE);
}

function tell(): void {
  spoken = takeFrames();
  const replies = tellHost(spoken);
  spoken = '';
  if (replies !== '') decodeFrames(replies, 0, receive);
}

function takeTellHost(): (text: string) => string {
  const surroundings = globalThis as unknown as Record<string, (text: string) => string>;
  const found = surroundings[TELL_HOST];
  delete surroundings[TELL_HOST];
  if (found === undefined) throw new TypeError('there is no host to tell anything');
  return found;
}
