/** Does things without a request, in the ways the header `x-do` has prepared. */
import { definePlugin, s } from '@tollgate/sdk';

/** What the next timers and batches do. */
let mood = '';
let runs = 0;
let fed = 0;

export default definePlugin({
  name: 'working',
  version: '1.0.0',
  priority: 1,
  schema: s.config({ queue: s.queue() }),
  metrics: { entries_total: { type: 'counter', help: 'Entries seen', labels: [] } },

  access(kong) {
    const [does = '', argument = ''] = String(kong.request.getHeader('x-do')).split(' ', 2);
    switch (does) {
      case 'push':
        kong.queue.push({ text: argument });
        break;
      case 'push-many':
        for (let count = 0; count < Number(argument); count++) kong.queue.push(count);
        break;
      case 'push-odd':
        kong.queue.push(argument === 'nothing' ? undefined : 'x'.repeat(300_000));
        break;
      case 'mood':
        mood = argument;
        break;
      case 'hoard':
        hoard();
        break;
      case 'report':
        kong.response.setHeader('x-runs', runs);
        break;
    }
  },

  async onBatch(kong, entries) {
    runs++;
    if (mood === 'throw') throw new Error('no batch today');
    if (mood === 'never') await new Promise(() => {});
    if (mood === 'loop') for (;;);
    kong.metrics.increment('entries_total', [], entries.length);
    kong.log.info('batch ', JSON.stringify(entries));
  },

  timers: [
    {
      everyMs: 1000,
      async run(kong, configs) {
        runs++;
        if (mood === 'loop') for (;;);
        if (mood === 'never') await new Promise(() => {});
        if (mood === 'throw') throw new Error('no timer today');
        kong.log.info('timer for ', configs.length);
      },
    },
  ],

  configure(kong, configs) {
    kong.log.info('configured ', JSON.stringify(configs));
  },

  transformResponse() {
    return {
      text(piece) {
        if (piece === 'loop') for (;;);
        if (piece === 'never') return new Promise(() => {});
        if (piece === 'grow') return 'x'.repeat(2 ** 21);
        if (piece === 'no text') return 7 as unknown as string;
        if (piece === 'hoard') hoard();
        return `${piece}${++fed}`;
      },
    };
  },
});

function hoard(): never {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array(10_000).fill(kept.length));
}
