/**
 * Bodies that pass through transformers of this package. Each is opened with a call of its own, which then lives on: pieces
 * come one at a time, each under another number, and the plugins keep the `kong` they were opened with.
 */
import type { BodyTransformer, BytesTransformer, TextTransformer } from '../body-transform.ts';
import {
  type BodyDirection,
  decodeFeedBody,
  decodeOpenBody,
  MAX_TRANSFORMED_BYTES,
  UNWANTED,
  WANTED,
} from '../protocol/body-step.ts';
import { GUEST_FRAMES } from '../protocol/frames.ts';
import type { CallState } from './call-state.ts';
import type { LoadedInstance } from './configuration.ts';
import { TransformRequestKongView, TransformResponseKongView } from './kong.ts';
import { emitFrame } from './outbox.ts';
import { activeCalls, closeCall, describeError, openCall } from './run-phase.ts';
import {
  arrayFromBytes,
  bytesFromArray,
  bytesFromText,
  splitCharacters,
  textFromAnyBytes,
} from './text-encoding.ts';
import { abandonLoads } from './value-cache.ts';

/** One plugin that has something to do to a body. */
interface Link {
  readonly instance: LoadedInstance;
  readonly transformer: BodyTransformer;
  /** The beginning of a character whose end has not come yet. */
  cutCharacter: string;
}

interface PassingBody {
  readonly call: CallState;
  readonly links: Link[];
}

const KONGS = { request: TransformRequestKongView, response: TransformResponseKongView };
export const TRANSFORM_HANDLERS = { request: 'transformRequest', response: 'transformResponse' } as const;

const bodies = new Map<number, PassingBody>();

export function openBody(id: number, payload: string): void {
  const { body, direction, call: text } = decodeOpenBody(payload);
  const { call, generation } = openCall(id, TRANSFORM_HANDLERS[direction], text);
  const instances = call.picks.map((number) => generation.instances[number] as LoadedInstance);
  void open(id, body, { call, links: [] }, direction, instances);
}

async function open(
  id: number,
  body: number,
  passing: PassingBody,
  direction: BodyDirection,
  instances: readonly LoadedInstance[],
): Promise<void> {
  const { call, links } = passing;
  try {
    const kong = new KONGS[direction](call);
    for (const instance of instances) {
      const handler = instance.plugin[TRANSFORM_HANDLERS[direction]] as
        | ((kong: unknown, config: unknown) => unknown)
        | undefined;
      if (handler === undefined) continue;
      call.instance = instance;
      const made = handler.call(instance.plugin, kong, instance.config);
      const transformer = made instanceof Promise ? await made : made;
      if (transformer === undefined) continue;
      links.push({ instance, transformer: checkTransformer(transformer), cutCharacter: '' });
    }
    if (links.length > 0) bodies.set(body, passing);
    endStep(call, GUEST_FRAMES.stepDone, id, links.length > 0 ? WANTED : UNWANTED);
  } catch (error) {
    endStep(call, GUEST_FRAMES.stepFailed, id, JSON.stringify(describeError(call, error)));
  }
}

export function feedBody(id: number, payload: string): void {
  const { body, isLast, bytes } = decodeFeedBody(payload);
  const passing = bodies.get(body);
  if (passing === undefined) {
    const gone = { plugin: '', phase: '', name: 'Error', message: 'the isolate was replaced', stack: '' };
    emitFrame(GUEST_FRAMES.stepFailed, id, JSON.stringify(gone));
    return;
  }
  passing.call.reopen(id);
  activeCalls.put(id, passing.call);
  void feed(id, body, passing, bytes, isLast);
}

/** Host and guest have nothing more to say to each other about it. */
export function closeBody(body: number): void {
  const call = bodies.get(body)?.call;
  if (call === undefined) return;
  bodies.delete(body);
  abandonLoads(call);
  call.finish();
}

async function feed(
  id: number,
  body: number,
  { call, links }: PassingBody,
  given: string,
  isLast: boolean,
): Promise<void> {
  let bytes = given;
  try {
    for (const link of links) {
      call.instance = link.instance;
      const made = transform(link, bytes, isLast);
      bytes = typeof made === 'string' ? made : await made;
      if (isLast && link.transformer.end !== undefined) {
        const added = link.transformer.end();
        bytes += toBytes(link, added instanceof Promise ? await added : added) ?? '';
      }
      if (bytes.length > MAX_TRANSFORMED_BYTES)
        throw new RangeError(`more than ${MAX_TRANSFORMED_BYTES} bytes in the place of a piece of a body`);
    }
    if (isLast) bodies.delete(body);
    endStep(call, GUEST_FRAMES.stepDone, id, bytes);
  } catch (error) {
    bodies.delete(body);
    endStep(call, GUEST_FRAMES.stepFailed, id, JSON.stringify(describeError(call, error)));
  }
}

/** What takes the place of the bytes; a promise of it where the plugin gives one. */
function transform(link: Link, bytes: string, isLast: boolean): string | Promise<string> {
  let piece = bytes;
  let made: unknown;
  if (isTextTransformer(link.transformer)) {
    const { whole, rest } = splitCharacters(link.cutCharacter + bytes);
    piece = isLast ? whole + rest : whole;
    link.cutCharacter = isLast ? '' : rest;
    if (piece !== '') made = link.transformer.text(textFromAnyBytes(piece));
  } else if (piece !== '') {
    made = link.transformer.bytes(arrayFromBytes(piece));
  }
  if (made instanceof Promise) return made.then((value) => toBytes(link, value) ?? piece);
  return toBytes(link, made) ?? piece;
}

function toBytes({ instance, transformer }: Link, made: unknown): string | undefined {
  if (made === undefined || made === '') return made;
  if (isTextTransformer(transformer)) {
    if (typeof made === 'string') return bytesFromText(made);
    throw new TypeError(`'${instance.plugin.name}' put ${describeType(made)} in the place of text`);
  }
  if (made instanceof Uint8Array) return bytesFromArray(made);
  throw new TypeError(`'${instance.plugin.name}' put ${describeType(made)} in the place of bytes`);
}

function describeType(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function isTextTransformer(transformer: BodyTransformer): transformer is TextTransformer {
  return 'text' in transformer;
}

function checkTransformer(made: unknown): BodyTransformer {
  const { text, bytes } = (typeof made === 'object' && made !== null ? made : {}) as Partial<
    TextTransformer & BytesTransformer
  >;
  if (typeof text === 'function' || typeof bytes === 'function') return made as BodyTransformer;
  throw new TypeError('a transformer is an object with a function text or bytes');
}

function endStep(call: CallState, kind: string, id: number, payload: string): void {
  // A step that took too long has been cancelled, and the call may be in another by now.
  if (call.id === id) closeCall(call);
  emitFrame(kind, id, payload);
}
