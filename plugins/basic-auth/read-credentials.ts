/** What a client says of itself in a header of the scheme `Basic`. RFC 7617. */
import { decodeBase64 } from '@tollgate/sdk';

export interface GivenCredentials {
  readonly username: string;
  /** May be empty, and may hold colons. */
  readonly password: string;
}

const BASIC = /^\s*[Bb]asic\s*(\S+)\s*$/;

/** Undefined for another scheme, what is no base64 of UTF-8 and what has no username. */
export function readCredentials(header: string): GivenCredentials | undefined {
  const encoded = BASIC.exec(header)?.[1];
  const decoded = encoded === undefined ? undefined : decodeBase64(encoded);
  const colon = decoded?.indexOf(':') ?? -1;
  if (decoded === undefined || colon <= 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
