/** `kong.service`: where the request goes and how long it may take, recorded among the changes to it. */
import type { ServiceTargetWriter } from '../service.ts';
import { changesOf, requireTarget } from './call-changes.ts';
import type { CallState } from './call-state.ts';
import { ServiceRequestRecorder } from './service-request-recorder.ts';

/** Names and IPv4 addresses; IPv6 addresses may stand in brackets. The host looks closer. */
const HOST =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Fa-f:.]{2,45})$/;
const MAX_PORT = 65_535;
/** Not looked at: the upstream's targets have ports of their own. */
const UPSTREAM_PORT = 80;
const MAX_RETRIES = 32_767;
const MAX_TIMEOUT_MS = 2_147_483_646;

export class ServiceView implements ServiceTargetWriter {
  protected readonly call: CallState;
  #request: ServiceRequestRecorder | undefined;

  constructor(call: CallState) {
    this.call = call;
  }

  get request(): ServiceRequestRecorder {
    this.#request ??= new ServiceRequestRecorder(this.call);
    return this.#request;
  }

  setTarget(host: string, port: number): void {
    if (typeof host !== 'string' || !HOST.test(host)) throw new TypeError(`invalid host '${String(host)}'`);
    checkRange('port', port, 0, MAX_PORT);
    requireTarget(this.call);
    changesOf(this.call).target = { host: host.replace(/^\[(.*)\]$/, '$1'), port };
  }

  setUpstream(name: string): string | undefined {
    requireTarget(this.call);
    if (!this.call.upstreams.has(name)) return `could not find an Upstream named '${name}'`;
    changesOf(this.call).target = { host: name, port: UPSTREAM_PORT };
    return undefined;
  }

  setRetries(retries: number): void {
    checkRange('retries', retries, 0, MAX_RETRIES);
    changesOf(this.call).retries = retries;
  }

  setTimeouts(connectMs: number, writeMs: number, readMs: number): void {
    const timeouts = [connectMs, writeMs, readMs] as const;
    for (const timeout of timeouts) checkRange('timeout', timeout, 1, MAX_TIMEOUT_MS);
    changesOf(this.call).timeouts = timeouts;
  }
}

function checkRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${what} must be an integer from ${least} to ${most}, not ${String(value)}`);
}
