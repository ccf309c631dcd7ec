/** How a phase of one package ended: what the request path needs to know of it, whoever ran it. */
import type { BodyKind, GuestError, RequestChanges } from '../../sdk/protocol/phase-result.ts';

export interface PhaseOutcome {
  readonly kind: 'proceed' | 'exit' | 'error';
  /** Numbers of the instances collected, comma-separated: handed back in later phases. */
  readonly picks: string;
  /** JSON; '' when unchanged. */
  readonly consumer: string;
  readonly credential: string;
  readonly shared: string;
  readonly changes: RequestChanges | undefined;
  /** Flat triples [op, name, value] for the request to the upstream; null when there are none. */
  readonly serviceTriples: readonly string[] | null;
  /** The same for the answer to the client. */
  readonly responseTriples: readonly string[] | null;
  /** Status of an answer, or one set by a response handler; 0 for neither. */
  readonly status: number;
  readonly bodyKind: BodyKind;
  readonly body: string;
  /** Only for `error`. */
  readonly failure: GuestError | undefined;
}

/** What a claim of somebody else's to be one is held against. */
export const PHASE_FAILURE_REASONS: readonly PhaseFailureReason[] = [
  'timeout',
  'memory',
  'deadline',
  'protocol',
  'crash',
  'unavailable',
];

export type PhaseFailureReason =
  /** The handlers ran longer than a crossing may. */
  | 'timeout'
  /** The isolate was stopped for using too much memory. */
  | 'memory'
  /** The phase took longer than a request may wait. */
  | 'deadline'
  /** The guest answered with something that is no result. */
  | 'protocol'
  /** The process of the package ended. */
  | 'crash'
  /** There is no isolate to run in: it keeps failing to load. */
  | 'unavailable';
