/** `kong.ctx`: what plugins leave for later. `shared` travels with the request, `plugin` stays in the isolate. */
import type { RequestContext } from '../phases.ts';
import { REQUEST_LINES } from '../protocol/phase-call.ts';
import type { CallState } from './call-state.ts';

type Values = Record<string, unknown>;

/** Requests with values of plugins. A request that outlives so many others loses its own. */
const MAX_REQUESTS = 10_000;

/** By request, then by instance. Two generations: requests whose end nobody tells of are forgotten in time. */
let young = new Map<string, Map<string, Values>>();
let old = new Map<string, Map<string, Values>>();

export class ContextView implements RequestContext {
  readonly #call: CallState;

  constructor(call: CallState) {
    this.#call = call;
  }

  get shared(): Values {
    return this.#call.sharedContext();
  }

  get plugin(): Values {
    const { plugin, id } = this.#call.instance ?? {};
    const requestId = this.#call.line(REQUEST_LINES.requestId);
    if (requestId === '' || id === undefined) {
      throw new TypeError(`log records of '${plugin?.name}' are summaries, without the request`);
    }
    const ofRequest = instancesOf(requestId);
    let values = ofRequest.get(id);
    if (values === undefined) {
      values = {};
      ofRequest.set(id, values);
    }
    return values;
  }
}

/** The request is over. */
export function releaseContexts(call: CallState): void {
  if (young.size + old.size === 0) return;
  const requestId = call.line(REQUEST_LINES.requestId);
  young.delete(requestId);
  old.delete(requestId);
}

function instancesOf(requestId: string): Map<string, Values> {
  let instances = young.get(requestId) ?? old.get(requestId);
  if (instances === undefined) {
    if (young.size * 2 >= MAX_REQUESTS) {
      old = young;
      young = new Map();
    }
    instances = new Map();
    young.set(requestId, instances);
  }
  return instances;
}
