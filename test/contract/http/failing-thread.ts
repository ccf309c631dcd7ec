/** A process of which one thread serves, and fails with a request in work. Says what becomes of it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { prepareNativeBinding } from '../../../core/http/native-binding.ts';
import { startIngress } from '../../../core/http/start-ingress.ts';

async function watch(): Promise<void> {
  prepareNativeBinding();
  const worker = new Worker(new URL(import.meta.url));
  worker.on('error', (error) => console.log(`failed: ${error.message}`));
  const ended = new Promise((resolve) => worker.on('exit', resolve));
  const [port] = await once(worker, 'message');
  const socket = connect(port, '127.0.0.1');
  const cut = once(socket, 'close');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: toy.test\r\n\r\n');
  await ended;
  await cut;
  console.log('cut');
  // The process would end in the thread's last moments, which may come after the event.
  setTimeout(() => console.log('still there'), 200);
}

async function serve(): Promise<void> {
  const { port } = await startIngress({
    isStrict: false,
    address: '127.0.0.1',
    port: 0,
    handler: () => {
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
    },
    renderRefusal: () => ({ status: 400, headers: [], body: '' }),
  });
  parentPort?.postMessage(port);
}

await (isMainThread ? watch() : serve());
