/** Writes to the log without measure. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'flooding',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),

  access(kong) {
    const does = kong.request.getHeader('x-do');
    if (does === 'many') for (let at = 0; at < 5000; at++) kong.log.err('line ', at);
    if (does === 'long') kong.log.err('x'.repeat(1_000_000));
    if (does === 'odd') kong.log.err({ toString: () => 'printed' }, null, Symbol('s'));
    if (does === 'unprintable') kong.log.err(Object.create(null));
  },
});
