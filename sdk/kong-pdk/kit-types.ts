/** The type of `kong` for plugins of the kit that are written in TypeScript: one for all phases, as there. */
import type { Consumer, Credential } from '../client.ts';
import type { AccessKong, LogKong, ResponseKong } from '../phases.ts';

/** Every call gives a promise. */
type Promised<Part> = {
  readonly [Name in keyof Part]: Part[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => Promise<Awaited<Result>>
    : Part[Name] extends object
      ? Promised<Part[Name]>
      : Part[Name];
};

type MultiMap = Readonly<Record<string, readonly string[]>>;
type Fields = Readonly<Record<string, unknown>> | undefined;
type Text = string | Uint8Array;

type Replaced<Part, By> = Omit<Part, keyof By> & By;

/** Calls that a phase does not allow reject. */
export interface KitKong
  extends Promised<
    Pick<AccessKong, 'router' | 'plugin' | 'node' | 'ip' | 'counters' | 'crypto' | 'entities' | 'cache'>
  > {
  readonly request: Replaced<
    Promised<AccessKong['request']>,
    {
      getHttpVersion(): Promise<number>;
      /** A name without a value is an empty list. */
      getQuery(max?: number): Promise<MultiMap>;
      getHeaders(max?: number): Promise<MultiMap>;
      getRawBody(maxFileBytes?: number): Promise<string>;
      getBody(mime?: string, maxArguments?: number, maxFileBytes?: number): Promise<Fields>;
    }
  >;
  readonly service: Replaced<
    Promised<Omit<AccessKong['service'], 'request'>>,
    {
      readonly request: Replaced<
        Promised<AccessKong['service']['request']>,
        {
          enableBuffering(): Promise<void>;
          setRawBody(body: Text): Promise<void>;
          setQuery(query: Readonly<Record<string, unknown>>): Promise<void>;
          /** Default for `mime`: what the request already is. */
          setBody(fields: Readonly<Record<string, unknown>>, mime?: string): Promise<void>;
        }
      >;
      readonly response: Replaced<
        Promised<ResponseKong['service']['response']>,
        { getBody(): Promise<Fields> }
      >;
    }
  >;
  /** `exit` and `error` do not end the method that calls them: `return` what they give. */
  readonly response: Replaced<
    Promised<ResponseKong['response']>,
    {
      exit(status: number, body?: unknown, headers?: Readonly<Record<string, unknown>>): Promise<unknown>;
      error(status: number, message?: unknown, headers?: Readonly<Record<string, unknown>>): Promise<unknown>;
    }
  >;
  readonly client: Replaced<
    Promised<AccessKong['client']>,
    { authenticate(consumer: Consumer | null, credential: Credential | null): Promise<void> }
  >;
  readonly ctx: {
    readonly shared: {
      get(key: string): Promise<unknown>;
      set(key: string, value: unknown): Promise<void>;
    };
  };
  /** `serialize` gives JSON. */
  readonly log: Replaced<Promised<LogKong['log']>, { serialize(): Promise<string> }>;
  readonly nginx: {
    getSubsystem(): Promise<'http'>;
    /** In seconds since the epoch. */
    reqStartTime(): Promise<number>;
  };
}
