/** What a look-up of a host comes to. Plain data. */

export interface HostAddress {
  readonly ip: string;
  /** 0 where the answer names none: then the one that was configured. */
  readonly port: number;
  /** Of an SRV record; 1 for others. Never 0. */
  readonly weight: number;
  /** The name in an SRV record, '' for others. */
  readonly srvName: string;
}

export type RecordType = 'A' | 'AAAA' | 'SRV';

export type HostAnswer =
  | {
      readonly kind: 'found';
      readonly type: RecordType;
      /** At least one. */
      readonly addresses: readonly HostAddress[];
      /** How long the answer may be used; 0 for once. */
      readonly ttlMs: number;
    }
  /** There is no such name, or it has no address. */
  | { readonly kind: 'none'; readonly reason: string; readonly ttlMs: number }
  /** Nobody could tell. */
  | { readonly kind: 'failed'; readonly reason: string; readonly ttlMs: number };

/** `done` is called once, never before the call has returned. */
export type LookUpHost = (host: string, done: (answer: HostAnswer) => void) => void;

export function addressOf(ip: string): HostAddress {
  return { ip, port: 0, weight: 1, srvName: '' };
}
