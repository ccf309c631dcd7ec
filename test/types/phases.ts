/**
 * What each phase allows, told twice: by the types, and by the rules that hold at run time. Nothing runs here: a
 * difference between the two does not compile.
 */
import type { AccessKong, LogKong, ResponseKong, RewriteKong } from '@tollgate/sdk';
import { definePlugin, s } from '@tollgate/sdk';
import type { MethodName, PHASE_RULES } from '../../sdk/guest/phase-rules.ts';
import type { PhaseName } from '../../sdk/protocol/manifest.ts';

/** `request.getHeader` and so on, of everything that can be called. */
type MethodsOf<Part, Place extends string = ''> = {
  [Name in keyof Part & string]: Part[Name] extends (...given: never[]) => unknown
    ? `${Place}${Name}`
    : Part[Name] extends object
      ? MethodsOf<Part[Name], `${Place}${Name}.`>
      : never;
}[keyof Part & string];

type AllowedIn<Phase extends PhaseName> = {
  [Name in MethodName]: Phase extends (typeof PHASE_RULES)[Name][number] ? Name : never;
}[MethodName];

type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;

function expectType<_Claim extends true>(): void {}

expectType<Same<MethodsOf<Omit<RewriteKong, 'ctx'>>, AllowedIn<'rewrite'>>>();
expectType<Same<MethodsOf<Omit<AccessKong, 'ctx'>>, AllowedIn<'access'>>>();
expectType<Same<MethodsOf<Omit<ResponseKong, 'ctx'>>, AllowedIn<'response'>>>();
expectType<Same<MethodsOf<Omit<LogKong, 'ctx'>>, AllowedIn<'log'>>>();
// @ts-expect-error a rule for what is not there would be noticed
expectType<Same<MethodsOf<Omit<LogKong, 'ctx'>>, AllowedIn<'log'> | 'request.getRawBody'>>();

export default definePlugin({
  name: 'phases',
  version: '1.0.0',
  priority: 1,
  schema: s.config({ message: s.string({ default: 'hello' }), limit: s.integer() }),

  async rewrite(kong, config) {
    kong.service.request.setHeader('x-a', [config.message, 'twice']);
    kong.service.setTarget('example.com', 443);
    const problem: string | undefined = kong.service.setUpstream('orders');
    kong.log.warn(problem);
    const body: string = await kong.request.getRawBody();
    // @ts-expect-error nobody is known yet
    kong.client.getConsumer();
    // @ts-expect-error nor can anybody be
    kong.client.authenticate(null, { id: body });
    // @ts-expect-error there is no pattern yet that could have matched
    kong.request.getUriCaptures();
    return kong.response.exit(200);
  },

  access(kong, config) {
    kong.response.setHeader('x-a', 1);
    kong.response.setStatus(201);
    kong.service.request.setScheme('https');
    // @ts-expect-error a header is no object
    kong.response.setHeader('x-a', { a: 1 });
    // @ts-expect-error schemes are http and https
    kong.service.request.setScheme('ftp');
    // @ts-expect-error a port is a number
    kong.service.setTarget('example.com', '443');
    // @ts-expect-error there is no answer yet
    kong.response.getStatus();
    // @ts-expect-error nor has the service given one
    kong.service.response.getHeader('x-a');
    // @ts-expect-error the record is made at the end
    kong.log.serialize();
    // @ts-expect-error what is neither required nor has a default may be null
    const limit: number = config.limit;
    // @ts-expect-error there is no such field
    return config.colour === limit ? undefined : undefined;
  },

  response(kong) {
    const seen: string | undefined = kong.service.response.getHeader('etag');
    kong.response.setHeader('x-etag', seen ?? 'none');
    kong.log.setSerializeValue('etag', seen);
    // @ts-expect-error the request has been sent
    kong.service.request.setHeader('x-a', 'b');
    // @ts-expect-error its target too
    kong.service.setTarget('example.com', 443);
    // @ts-expect-error and its body
    kong.request.getRawBody();
  },

  log(kong) {
    const { status } = kong.log.serialize().response;
    const type: string | undefined = kong.response.getHeader('content-type');
    kong.log.info(status, type);
    // @ts-expect-error the client has been answered
    kong.response.setHeader('x-a', 'b');
    // @ts-expect-error and cannot be answered again
    kong.response.exit(200);
    // @ts-expect-error the body of the answer is gone
    kong.service.response.getRawBody();
    // @ts-expect-error nobody can be authenticated any more
    kong.client.authenticate(null, { id: 'a' });
    // @ts-expect-error counting comes too late
    kong.counters.take([]);
  },

  // @ts-expect-error there is no such phase
  headerFilter() {},
});
