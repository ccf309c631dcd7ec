/** `kong.router`: what the request matched. */

export interface MatchedRoute {
  readonly id: string;
  readonly name: string | null;
  readonly [field: string]: unknown;
}

export interface MatchedService {
  readonly id: string;
  readonly name: string | null;
  readonly host: string;
  readonly [field: string]: unknown;
}

/** Phases: all. Undefined where nothing matched. */
export interface RouterReader {
  getRoute(): MatchedRoute | undefined;
  getService(): MatchedService | undefined;
}
