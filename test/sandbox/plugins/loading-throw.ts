/** Throws while it is loaded. */
import { definePlugin, s } from '@tollgate/sdk';

export default definePlugin({
  name: 'loading-throw',
  version: '1.0.0',
  priority: 1,
  schema: s.config({}),
  metrics: refuse(),
});

function refuse(): never {
  throw new Error('not today');
}
