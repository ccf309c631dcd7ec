/** Asks for the cryptography that its caller wants: what stands in `x-do` is JSON. */
import { definePlugin, encodeBase64, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'crypto',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  capabilities: { crypto: true },

  async access(kong) {
    const { call, given } = JSON.parse(kong.request.getHeader('x-do') ?? '') as {
      readonly call: 'digest' | 'verify' | 'isEqual';
      readonly given: readonly never[];
    };
    const operation = kong.crypto[call].bind(kong.crypto) as (...given: readonly never[]) => unknown;
    return kong.response.exit(200, encodeBase64(JSON.stringify(await operation(...given))));
  },
});
