/** What a node knows of the health of an upstream, as plain data for messages. */

export interface AddressHealth {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly isHealthy: boolean;
}

export interface TargetHealth {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** Type of the records its addresses come from, or why there are none. */
  readonly records: string;
  /** Its name is being looked up for the first time. */
  readonly isResolving: boolean;
  /** It has no address. */
  readonly hasProblem: boolean;
  readonly addresses: readonly AddressHealth[];
}

export interface UpstreamHealth {
  readonly id: string;
  readonly name: string;
  /** Anything could make an address unhealthy besides an operator. */
  readonly isChecked: boolean;
  /** There is enough of it that requests are sent. */
  readonly isServing: boolean;
  readonly targets: readonly TargetHealth[];
}
