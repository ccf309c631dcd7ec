/** A server of names for tests: knows what it is told, over UDP, and counts who asks. */
import { createSocket } from 'node:dgram';
import { type Answer, decode, encode } from 'dns-packet';

export interface DnsServer {
  /** `127.0.0.1:port`, as `dns_resolver` takes it. */
  readonly address: string;
  /** Replaces what is known of a name and type; an empty list says that there is no such record. */
  set(name: string, type: 'A' | 'AAAA' | 'SRV', answers: readonly DnsAnswer[]): void;
  /** Answers every question, or those for this type, with SERVFAIL from now on, or no longer. */
  fail(isFailing: boolean, type?: string): void;
  /** Says of this type that no such name exists, whatever is known of others, as Docker's server does. */
  deny(type: string): void;
  /** Questions for this name and type so far. */
  asked(name: string, type?: string): number;
  stop(): Promise<void>;
}

export interface DnsAnswer {
  readonly ttl: number;
  /** An address, or a server. */
  readonly data:
    | string
    | {
        readonly target: string;
        readonly port: number;
        readonly priority?: number;
        readonly weight?: number;
      };
}

const AUTHORITATIVE = 1 << 10;
const SERVFAIL = 2;
const NXDOMAIN = 3;

export async function startDnsServer(): Promise<DnsServer> {
  const records = new Map<string, readonly DnsAnswer[]>();
  const questions: string[] = [];
  let isFailing = false;
  let failingType: string | undefined;
  let deniedType: string | undefined;
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const { name, type } = question;
    questions.push(`${type} ${name}`);
    const known = records.get(`${type} ${name}`) ?? [];
    const isName = [...records.keys()].some((key) => key.endsWith(` ${name}`));
    const answers = known.map(({ ttl, data }) => ({ name, type, ttl, data }) as Answer);
    const fails = isFailing && (failingType === undefined || failingType === type);
    const code = fails ? SERVFAIL : isName && type !== deniedType ? 0 : NXDOMAIN;
    const answer = encode({
      type: 'response',
      id: query.id ?? 0,
      flags: AUTHORITATIVE | code,
      questions: [question],
      answers: fails ? [] : answers,
    });
    socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    set: (name, type, answers) => void records.set(`${type} ${name}`, answers),
    fail: (failing, type) => {
      isFailing = failing;
      failingType = type;
    },
    deny: (type) => {
      deniedType = type;
    },
    asked: (name, type = 'A') => questions.filter((question) => question === `${type} ${name}`).length,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
