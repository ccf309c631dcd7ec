/** gRPC from end to end over HTTP/2: contract/proxy.md section 7.5. */
import {
  type Client,
  type ClientDuplexStream,
  credentials,
  status as GrpcStatus,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IssuedCertificate, issueCertificate } from '../../core/crypto/issue-certificate.ts';
import { findFreePort } from '../support/free-port.ts';
import { packPlugin } from '../support/pack-plugin.ts';
import { type ProxyUnderTest, startProxy } from './support/start-proxy.ts';

const identity = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/toy.Toy/${name}`,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});
const TOY = {
  Echo: method('Echo', false, false),
  Fail: method('Fail', false, false),
  Slow: method('Slow', false, false),
  Count: method('Count', false, true),
  Join: method('Join', true, false),
  Chat: method('Chat', true, true),
};
const Toy = makeGenericClientConstructor(TOY, 'Toy');

let cancelled = 0;
const implementation = {
  Echo: ((call, callback) => {
    const head = new Metadata();
    head.set('x-head', String(call.metadata.get('x-asked')[0] ?? 'none'));
    head.set('x-via', String(call.metadata.get('via')[0] ?? 'none'));
    call.sendMetadata(head);
    const trailers = new Metadata();
    trailers.set('x-trailer', 'yes');
    callback(null, call.request, trailers);
  }) as handleUnaryCall<Buffer, Buffer>,
  Fail: ((_call, callback) => {
    const metadata = new Metadata();
    metadata.set('x-why', 'because');
    callback({ code: GrpcStatus.NOT_FOUND, details: 'no such thing', metadata });
  }) as handleUnaryCall<Buffer, Buffer>,
  Slow: ((call) => {
    call.on('cancelled', () => cancelled++);
  }) as handleUnaryCall<Buffer, Buffer>,
  Count: ((call) => {
    for (const word of ['one', 'two', 'three']) call.write(Buffer.from(word));
    call.end();
  }) as handleServerStreamingCall<Buffer, Buffer>,
  Join: ((call, callback) => {
    const words: string[] = [];
    call.on('data', (word: Buffer) => words.push(word.toString()));
    call.on('end', () => callback(null, Buffer.from(words.join())));
  }) as handleClientStreamingCall<Buffer, Buffer>,
  Chat: ((call) => {
    call.on('data', (word: Buffer) => call.write(Buffer.from(`re: ${word}`)));
    call.on('end', () => call.end());
  }) as handleBidiStreamingCall<Buffer, Buffer>,
};

interface ToyServer {
  readonly port: number;
  stop(): void;
}

async function startServer(serverCredentials: ServerCredentials, port = 0): Promise<ToyServer> {
  const server = new Server();
  server.addService(TOY, implementation);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, serverCredentials, (error, found) =>
      error ? reject(error) : resolve(found),
    ),
  );
  return { port: bound, stop: () => server.forceShutdown() };
}

type Attributes = Readonly<Record<string, unknown>>;

let proxy: ProxyUnderTest;
let plain: ToyServer;
let secure: ToyServer;
let authority: IssuedCertificate;
let clearPort: number;
let tlsPort: number;
const clients: Client[] = [];

beforeAll(async () => {
  authority = await issueCertificate({ commonName: 'ca', names: ['ca'], validDays: 1, isAuthority: true });
  const pair = await issueCertificate({
    commonName: 'localhost',
    names: ['localhost'],
    validDays: 1,
    issuer: authority,
  });
  plain = await startServer(ServerCredentials.createInsecure());
  secure = await startServer(
    ServerCredentials.createSsl(null, [
      { cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) },
    ]),
  );
  clearPort = await findFreePort();
  tlsPort = await findFreePort();
  proxy = await startProxy({}, [`127.0.0.1:${clearPort} http2`, `127.0.0.1:${tlsPort} http2 ssl`]);
  await proxy.write('POST', '/certificates', { ...pair, snis: ['localhost'] });
  await expose('plain.test', { protocol: 'grpc', port: plain.port });
  await expose('secure.test', { protocol: 'grpcs', host: 'localhost', port: secure.port });
});
afterAll(async () => {
  for (const client of clients) client.close();
  plain.stop();
  secure.stop();
  await proxy.stop();
});

async function expose(
  host: string,
  service: Attributes,
  route: Attributes = {},
): Promise<{ serviceId: string; routeId: string }> {
  return proxy.expose(service, { protocols: ['grpc', 'grpcs'], hosts: [host], strip_path: false, ...route });
}

type ToyClient = Client & Record<keyof typeof TOY, (...given: unknown[]) => never>;

function clientOf(host: string, isSecure = false): ToyClient {
  const channel = isSecure
    ? credentials.createSsl(Buffer.from(authority.cert))
    : credentials.createInsecure();
  const address = isSecure ? `localhost:${tlsPort}` : `127.0.0.1:${clearPort}`;
  const client = new Toy(address, channel, { 'grpc.default_authority': host, 'grpc.enable_retries': 0 });
  clients.push(client);
  return client as unknown as ToyClient;
}

interface Outcome {
  readonly reply?: string;
  readonly error?: ServiceError;
  readonly head: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

function callOnce(
  client: ToyClient,
  name: 'Echo' | 'Fail' | 'Slow',
  options: object = {},
  metadata = new Metadata(),
): Promise<Outcome> {
  return new Promise((resolve) => {
    let head: Metadata | undefined;
    let trailers: Metadata | undefined;
    let outcome: Partial<Outcome> = {};
    const done = () => setImmediate(() => resolve({ ...outcome, head, trailers }));
    const call = client[name](
      Buffer.from('hello'),
      metadata,
      options,
      (error: ServiceError | null, reply: Buffer) => {
        outcome = error === null ? { reply: reply.toString() } : { error };
      },
    ) as NodeJS.EventEmitter;
    call.on('metadata', (given: Metadata) => {
      head = given;
    });
    call.on('status', (given: { metadata: Metadata }) => {
      trailers = given.metadata;
      done();
    });
  });
}

async function chat(client: ToyClient, words: readonly string[]): Promise<string[]> {
  const call = client.Chat() as ClientDuplexStream<Buffer, Buffer>;
  const replies: string[] = [];
  let isAnswered: () => void = () => undefined;
  call.on('data', (reply: Buffer) => {
    replies.push(reply.toString());
    isAnswered();
  });
  const ended = new Promise<void>((resolve, reject) => {
    call.on('end', resolve);
    call.on('error', reject);
  });
  for (const word of words) {
    const answered = new Promise<void>((resolve) => {
      isAnswered = resolve;
    });
    call.write(Buffer.from(word));
    await answered;
  }
  call.end();
  await ended;
  return replies;
}

describe.each([
  ['in the clear', 'plain.test', false],
  ['by TLS to the gateway', 'plain.test', true],
  ['by TLS to the service', 'secure.test', false],
  ['by TLS all the way', 'secure.test', true],
] as const)('a call %s', (_, host, isSecure) => {
  it('has its answer, with metadata before and behind it', async () => {
    const metadata = new Metadata();
    metadata.set('x-asked', 'this');
    const { reply, head, trailers } = await callOnce(clientOf(host, isSecure), 'Echo', {}, metadata);
    expect(reply).toBe('hello');
    expect(head?.get('x-head')).toEqual(['this']);
    expect(head?.get('x-via')).toEqual([expect.stringMatching(/^2 tollgate\//)]);
    expect(head?.get('via')).toEqual([expect.stringMatching(/^2 tollgate\//)]);
    expect(trailers?.get('x-trailer')).toEqual(['yes']);
  });

  it('that fails at the service fails for its client in the same words', async () => {
    const { error } = await callOnce(clientOf(host, isSecure), 'Fail');
    expect(error).toMatchObject({ code: GrpcStatus.NOT_FOUND, details: 'no such thing' });
    expect(error?.metadata.get('x-why')).toEqual(['because']);
  });

  it('may stream its answer', async () => {
    const call = clientOf(host, isSecure).Count(Buffer.from('')) as NodeJS.ReadableStream;
    const words: string[] = [];
    for await (const word of call) words.push(String(word));
    expect(words).toEqual(['one', 'two', 'three']);
  });

  it('may stream its request', async () => {
    const client = clientOf(host, isSecure);
    const reply = await new Promise<string>((resolve, reject) => {
      const call = client.Join((error: ServiceError | null, given: Buffer) =>
        error ? reject(error) : resolve(given.toString()),
      ) as { write(word: Buffer): void; end(): void };
      for (const word of ['a', 'b', 'c']) call.write(Buffer.from(word));
      call.end();
    });
    expect(reply).toBe('a,b,c');
  });

  it('may go to and fro', async () => {
    expect(await chat(clientOf(host, isSecure), ['a', 'b', 'c'])).toEqual(['re: a', 're: b', 're: c']);
  });

  it('ends at the service when its client gives up', async () => {
    const before = cancelled;
    const { error } = await callOnce(clientOf(host, isSecure), 'Slow', { deadline: Date.now() + 200 });
    expect(error?.code).toBe(GrpcStatus.DEADLINE_EXCEEDED);
    await expect.poll(() => cancelled).toBe(before + 1);
  });
});

describe('many calls', () => {
  it('share connections', async () => {
    const client = clientOf('plain.test');
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => callOnce(client, 'Echo')));
    expect(outcomes.every(({ reply }) => reply === 'hello')).toBe(true);
  });

  it('may be large, both ways', async () => {
    const client = clientOf('plain.test');
    const message = Buffer.alloc(3 * 1024 * 1024, 'x');
    const reply = await new Promise<Buffer>((resolve, reject) => {
      client.Echo(message, (error: ServiceError | null, given: Buffer) =>
        error ? reject(error) : resolve(given),
      );
    });
    expect(reply.equals(message)).toBe(true);
  });
});

describe('the gateway', () => {
  it('tells a call that no route takes', async () => {
    const { error } = await callOnce(clientOf('nobody.test'), 'Echo');
    expect(error).toMatchObject({
      code: GrpcStatus.NOT_FOUND,
      details: 'no Route matched with those values',
    });
  });

  it('tells a call that a plugin refuses, and lets one with a key pass', async () => {
    const { serviceId } = await expose('keyed.test', { protocol: 'grpc', port: plain.port });
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name: 'key-auth' });
    await proxy.write('POST', '/consumers', { username: 'grpc' });
    await proxy.write('POST', '/consumers/grpc/key-auth', { key: 'a-key-of-grpc' });
    const client = clientOf('keyed.test');
    const { error } = await callOnce(client, 'Echo');
    expect(error).toMatchObject({
      code: GrpcStatus.UNAUTHENTICATED,
      details: expect.stringContaining('No API key found in request'),
    });
    const metadata = new Metadata();
    metadata.set('apikey', 'a-key-of-grpc');
    expect((await callOnce(client, 'Echo', {}, metadata)).reply).toBe('hello');
  });

  it('has its status behind a body that a plugin transforms', async () => {
    const name = 'shouting';
    const artefact = await packPlugin({
      name,
      definition: `transformResponse: () => ({ bytes: (piece) => piece.map((byte) => (byte === 104 ? 72 : byte)) }),`,
    });
    await proxy.write('POST', '/plugin-packages', artefact);
    const { serviceId } = await expose('shouting.test', { protocol: 'grpc', port: plain.port });
    await proxy.write('POST', `/services/${serviceId}/plugins`, { name });
    const { reply, trailers } = await callOnce(clientOf('shouting.test'), 'Echo');
    expect([reply, trailers?.get('x-trailer')]).toEqual(['Hello', ['yes']]);
  });

  it('tells a call whose service cannot be reached', async () => {
    await expose('gone.test', { protocol: 'grpc', port: await findFreePort(), retries: 1 });
    const { error } = await callOnce(clientOf('gone.test'), 'Echo');
    expect(error?.code).toBe(GrpcStatus.INTERNAL);
  });

  it('tells a call whose service does not speak HTTP/2, and serves the next one', async () => {
    await expose('http1.test', {
      protocol: 'grpc',
      host: proxy.upstream.host,
      port: proxy.upstream.port,
      retries: 0,
    });
    const { error } = await callOnce(clientOf('http1.test'), 'Echo');
    expect(error?.code).toBe(GrpcStatus.INTERNAL);
    expect((await callOnce(clientOf('plain.test'), 'Echo')).reply).toBe('hello');
  });

  it('finds the service again after it has been started anew', async () => {
    const server = await startServer(ServerCredentials.createInsecure());
    await expose('again.test', { protocol: 'grpc', port: server.port });
    const client = clientOf('again.test');
    expect((await callOnce(client, 'Echo')).reply).toBe('hello');
    server.stop();
    const successor = await startServer(ServerCredentials.createInsecure(), server.port);
    expect((await callOnce(client, 'Echo')).reply).toBe('hello');
    successor.stop();
  });

  it('refuses calls on a grpcs route that come in the clear, and requests that are no calls', async () => {
    await expose('grpcs.test', { protocol: 'grpc', port: plain.port }, { protocols: ['grpcs'] });
    const { error } = await callOnce(clientOf('grpcs.test'), 'Echo');
    expect(error).toMatchObject({
      code: GrpcStatus.CANCELLED,
      details: 'gRPC request matched gRPCs route',
    });
    expect((await callOnce(clientOf('grpcs.test', true), 'Echo')).reply).toBe('hello');
    expect((await proxy.send('plain.test', '/toy.Toy/Echo')).status).toBe(415);
    const overHttp1 = { headers: { 'Content-Type': 'application/grpc' } };
    expect((await proxy.send('plain.test', '/toy.Toy/Echo', overHttp1)).status).toBe(426);
  });
});
