import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startIngress } from '../../../core/http/start-ingress.ts';
import { findFreePort } from '../../support/free-port.ts';
import { exchangeBytes } from '../../support/raw-http.ts';
import { INGRESSES, request, startToyListener, until } from './start-toy-listener.ts';

describe.each(INGRESSES)('the %s ingress', async (ingress) => {
  const QUIET = { quietMs: 250 };

  it('takes no new connections after it has stopped accepting, and serves those it has', async () => {
    const toy = await startToyListener(ingress);
    const socket = connect(toy.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    await until('the connection is there', () => toy.connections.active === 1);
    toy.stopAccepting();
    toy.stopAccepting();
    await expect(exchangeBytes(toy.port, request('GET /'), QUIET)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    socket.write(request('GET /'));
    await until('it is answered', () => received.includes('hello'));
    socket.destroy();
  });

  it('cuts every connection when it is closed, and tells the requests in work', async () => {
    const toy = await startToyListener(ingress, { '/never': () => undefined });
    const cut = exchangeBytes(toy.port, request('GET /never'), QUIET);
    await until('the request has arrived', () => toy.served.length === 1);
    toy.close();
    expect(await cut).toEqual({ received: '', hasClosed: true });
    await until('the end is noticed', () => toy.connections.active === 0);
    expect(toy.events).toEqual(['aborted /never']);
    expect(toy.connections).toMatchObject({ accepted: 1, active: 0 });
  });

  it('shares its port with another listener, as worker threads do', async () => {
    const port = await findFreePort();
    const listeners = [
      await startToyListener(ingress, {}, { port }),
      await startToyListener(ingress, {}, { port }),
    ];
    for (let turn = 0; turn < 20; turn++)
      await exchangeBytes(port, request('GET /', ['Connection: close']), QUIET);
    const accepted = listeners.map(({ connections }) => connections.accepted);
    expect(accepted.reduce((total, count) => total + count)).toBe(20);
  });

  it('says which port it could not have', async () => {
    await expect(
      startIngress({
        isStrict: ingress === 'strict',
        address: '203.0.113.1',
        port: 80,
        handler: () => undefined,
        renderRefusal: () => ({ status: 400, headers: [], body: '' }),
      }),
    ).rejects.toThrow('203.0.113.1:80 cannot be bound');
  });
});

it('lets a thread that fails end alone, with requests in work', async () => {
  const program = fileURLToPath(new URL('./failing-thread.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toBe('failed: nobody catches this\ncut\nstill there\n');
});
