/** What is around a lane: what guests are told of the node, and who performs their host calls. */
import type { PackageManifest } from '../../sdk/protocol/manifest.ts';
import type { NodeFacts } from '../../sdk/protocol/plan.ts';
import type { ActiveCall } from './active-call.ts';
import { HostCallRunner } from './host-call-runner.ts';
import { type HostServices, permittedBy } from './host-calls.ts';
import type { QueuedFrame } from './queued-frame.ts';

/** The guest as performers of host calls see it. */
export interface GuestSide {
  readonly maxBodyBytes: number;
  /** What the guest runs in now: replies to a guest that is gone are dropped. */
  currentIsolate(): object | undefined;
  /** Called at once where nothing has to be waited for. */
  deliver(reply: QueuedFrame): void;
}

export interface HostCallPerformer {
  /** `payload` as `encodeHostCall` writes it; without `call` it belongs to no single request. Never throws. */
  perform(payload: string, call: ActiveCall | undefined): void;
}

export interface LaneHost {
  /** Told to guests as `kong.node`. */
  readonly node?: NodeFacts | undefined;
  createHostCalls(manifest: PackageManifest, guest: GuestSide): HostCallPerformer;
}

/** Performs them here, as far as the manifest permits. */
export function createLaneHost(services: HostServices): LaneHost {
  return {
    node: services.node,
    createHostCalls: (manifest, guest) =>
      new HostCallRunner({ ...guest, services, permitted: permittedBy(manifest) }),
  };
}
