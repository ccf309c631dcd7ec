/** A TCP relay between a gateway and its database, with which a test cuts the way without touching the server. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpRelay {
  readonly port: number;
  /** Ends all connections and refuses new ones, as a server that is down. */
  cut(): Promise<void>;
  /** Passes nothing on and ends nothing, as a network that is gone. New connections are accepted and stay silent. */
  silence(): void;
  /** Serves again after `cut` or `silence`. Connections from before are ended. */
  restore(): Promise<void>;
  /** Ends the connections on which the client has sent this text. Returns how many there were. */
  endThoseThatSent(text: string): number;
  /** From now on what the server says on connections on which the client has sent this text is lost. */
  muteThoseThatSent(text: string): void;
  stop(): Promise<void>;
}

interface Relayed {
  readonly client: Socket;
  readonly server: Socket;
  sent: string;
}

/** Enough to hold what a connection begins with. */
const KEPT_CHARACTERS = 4096;

/** Listens on a free port of loopback. */
export async function startTcpRelay(targetPort: number, targetHost = '127.0.0.1'): Promise<TcpRelay> {
  const relayed = new Set<Relayed>();
  const muted = new Set<string>();
  let isSilent = false;

  const isMuted = ({ sent }: Relayed) => [...muted].some((text) => sent.includes(text));

  const accept = (client: Socket): void => {
    const server = connect({ host: targetHost, port: targetPort, allowHalfOpen: true });
    const pair: Relayed = { client, server, sent: '' };
    relayed.add(pair);
    const end = () => {
      relayed.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      for (const event of ['end', 'close']) socket.on(event, () => !isSilent && end());
    }
    client.on('data', (bytes) => {
      pair.sent = (pair.sent + bytes.toString('latin1')).slice(-KEPT_CHARACTERS);
      if (!isSilent) server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!isSilent && !isMuted(pair)) client.write(bytes);
    });
  };

  const endAll = () => {
    for (const { client, server } of relayed) {
      client.destroy();
      server.destroy();
    }
    relayed.clear();
  };

  let listener = createServer({ allowHalfOpen: true }, accept);
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = listener.address() as AddressInfo;
  let isListening = true;

  const close = async () => {
    const closed = isListening ? new Promise<void>((resolve) => listener.close(() => resolve())) : undefined;
    isListening = false;
    endAll();
    await closed;
  };

  return {
    port,
    cut: close,
    silence() {
      isSilent = true;
    },
    async restore() {
      isSilent = false;
      endAll();
      muted.clear();
      if (isListening) return;
      listener = createServer({ allowHalfOpen: true }, accept);
      await listen(port);
      isListening = true;
    },
    endThoseThatSent(text) {
      const found = [...relayed].filter(({ sent }) => sent.includes(text));
      for (const { client } of found) client.destroy();
      return found.length;
    },
    muteThoseThatSent(text) {
      muted.add(text);
    },
    stop: close,
  };
}
