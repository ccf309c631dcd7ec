/** `kong.service.request`: what will be sent to the upstream. Recorded here, applied by the host when the phase ends. */
import type { HeaderMap, HeaderValue } from './header-value.ts';
import type { ArgumentValue } from './request.ts';

/** Phases: rewrite, access. Values with CR, LF or NUL throw a TypeError. Later reads through `kong.request` see the change. */
export interface ServiceRequestWriter {
  /**
   * Replaces every header of that name: by several for a list, by none for an empty one. `Host` changes the host sent
   * upstream.
   */
  setHeader(name: string, value: HeaderValue): void;
  /** Adds a line, or one for each of a list, and leaves those of that name as they are. */
  addHeader(name: string, value: HeaderValue): void;
  /** Removes every spelling: any case, `_` for `-`. */
  clearHeader(name: string): void;
  /** `setHeader` for each of them, or for none when one cannot be sent. */
  setHeaders(headers: HeaderMap): void;
  /**
   * To the service's own host and port. Needs the capability `serviceTarget`, as `kong.service.setTarget` does.
   * TypeError on anything but `http` and `https`.
   */
  setScheme(scheme: 'http' | 'https'): void;
  /** A token of HTTP, in capitals. */
  setMethod(method: string): void;
  /** Must start with `/`. */
  setPath(path: string): void;
  /** Verbatim, without `?`. */
  setRawQuery(query: string): void;
  /** Arguments sorted by name; `true` is a name without `=`, a list the same name several times. */
  setQuery(query: Readonly<Record<string, ArgumentValue>>): void;
  /** Removes every argument of that name, keeps the order of the rest and re-encodes it. */
  clearQueryArg(name: string): void;
  /** Content-Length follows. */
  setRawBody(body: string): void;
  /**
   * Encodes `fields` as `mime`, which must be one `getBody` decodes. Parts of a multipart body that keep their text
   * keep their headers and bytes, be it under another name.
   */
  setBody(fields: Readonly<Record<string, unknown>>, mime: string): void;
}
