/** Asks other servers: what stands in `x-do` is JSON of a URL and options. The host of the test puts its own port for 4711. */
import { definePlugin, type FetchedResponse, type FetchOptions, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'fetching',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { egress: ['http://127.0.0.1:4711', 'http://localhost:4711', 'http://[::1]:4711'] },

  async access(kong) {
    const {
      url,
      options,
      times = 1,
    } = JSON.parse(kong.request.getHeader('x-do') ?? '') as {
      readonly url: string;
      readonly options?: FetchOptions;
      readonly times?: number;
    };
    const answers = await Promise.all(Array.from({ length: times }, () => kong.fetch(url, options)));
    const answer = answers[0] as FetchedResponse;
    return kong.response.exit(200, {
      status: answer.status,
      ok: answer.ok,
      from: answer.url,
      cookies: answer.getHeaders()['set-cookie'] ?? [],
      type: answer.getHeader('Content-Type') ?? null,
      text: answer.text().slice(0, 1000),
      bytes: answer.bytes().length,
    });
  },

  log(kong) {
    const { url } = JSON.parse(kong.request.getHeader('x-do') ?? '') as { readonly url: string };
    return kong.fetch(url).then(({ status }) => kong.log.notice('fetched ', status));
  },
});
