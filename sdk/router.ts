/** `kong.router`: what the request matched. */

/** The route as the Admin API shows it. */
export interface MatchedRoute {
  readonly id: string;
  readonly name: string | null;
  readonly [field: string]: unknown;
}

/** The service as the Admin API shows it. */
export interface MatchedService {
  readonly id: string;
  readonly name: string | null;
  readonly host: string;
  readonly [field: string]: unknown;
}

/** Phases: all. Undefined where nothing matched. */
export interface RouterReader {
  /** The route; undefined where nothing matched. */
  getRoute(): MatchedRoute | undefined;
  /** Its service; undefined for a route without one. */
  getService(): MatchedService | undefined;
}
