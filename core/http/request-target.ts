/** What a request asks for, from its request line or pseudo-headers. Pure. */

export interface RequestTarget {
  readonly rawPath: string;
  readonly rawQuery: string | undefined;
  /** Where the target is a whole URL: its host wins over the header (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** The parts exactly as received; whether they are any good is for the guard to say. */
export function splitTarget(target: string): RequestTarget {
  const [, authority, rest = ''] = target.startsWith('/') ? [] : (ABSOLUTE.exec(target) ?? []);
  const origin = authority === undefined ? target : rest.startsWith('/') ? rest : `/${rest}`;
  const mark = origin.indexOf('?');
  return {
    rawPath: mark < 0 ? origin : origin.slice(0, mark),
    rawQuery: mark < 0 ? undefined : origin.slice(mark + 1),
    authority,
  };
}
