/**
 * What a setting's text may look like: one small value per kind, which parses the text, says in words what it
 * expects, and knows how the value is shown in `GET /`. A kind knows nothing of any particular setting.
 */
import { isIP } from 'node:net';

/** The value a text stands for, or what was expected instead. */
export type Parsed<Value> = { readonly value: Value } | { readonly expected: string };

export interface SettingKind<Value> {
  /** In words, for the settings page and for error messages. */
  readonly expects: string;
  parse(text: string): Parsed<Value>;
  /** The value as JSON, for the configuration shown by the Admin API. Default: the value itself. */
  show?(value: Value): unknown;
}

const DECIMAL = /^\d+$/;
const FRACTION = /^\d*\.?\d+$/;
const SIZE = /^(\d+)([kmg]?)$/i;
const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Splits `a, b` into trimmed, non-empty parts. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function kindOf<Value>(expects: string, parse: (text: string) => Value | undefined): SettingKind<Value> {
  return {
    expects,
    parse: (text) => {
      const value = parse(text);
      return value === undefined ? { expected: expects } : { value };
    },
  };
}

export const text: SettingKind<string> = kindOf('text', (given) => given);

export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): SettingKind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  return kindOf(`a whole number ${range}`, (given) => {
    const value = Number(given);
    return DECIMAL.test(given) && value >= min && value <= max ? value : undefined;
  });
}

/** A share, such as of requests. */
export const fraction: SettingKind<number> = kindOf('a number from 0 to 1', (given) => {
  const value = Number(given);
  return FRACTION.test(given) && value <= 1 ? value : undefined;
});

/** A comma list of addresses, each with a port if wanted, as `dns.setServers` takes them. */
export const dnsServers: SettingKind<readonly string[]> = kindOf(
  'a comma list of addresses, each with `:port` behind it if wanted',
  (given) => {
    const servers = splitList(given);
    const isServer = (server: string): boolean => {
      const [, bracketed, plain, port = '53'] =
        /^(?:\[(.+)\]|([^:]+|[^.]*:[^.]*))(?::(\d{1,5}))?$/.exec(server) ?? [];
      return isIP(bracketed ?? plain ?? '') !== 0 && Number(port) <= 65_535;
    };
    return servers.length > 0 && servers.every(isServer) ? servers : undefined;
  },
);

/** Bytes, with nginx's suffixes. */
export const byteSize: SettingKind<number> = kindOf(
  'a number of bytes, with `k`, `m` or `g` behind it if wanted',
  (given) => {
    const [, digits, suffix = ''] = SIZE.exec(given) ?? [];
    const bytes = Number(digits) * (BYTES_OF_SUFFIX[suffix.toLowerCase()] ?? 1);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  },
);

/** A switch; Kong also takes true and false. */
export const onOff: SettingKind<boolean> = {
  ...kindOf('`on` or `off`', (given) => {
    const lower = given.toLowerCase();
    if (lower === 'on' || lower === 'true') return true;
    return lower === 'off' || lower === 'false' ? false : undefined;
  }),
  show: (value) => (value ? 'on' : 'off'),
};

/** One of a few words, in any case; the value is spelled as in the list. */
export function oneOf<const Word extends string>(...words: readonly Word[]): SettingKind<Word> {
  return kindOf(`one of ${quoteAll(words)}`, (given) =>
    words.find((word) => word.toLowerCase() === given.toLowerCase()),
  );
}

/** As `oneOf`, with words that exist elsewhere and are refused with a reason. */
export function oneOfAvailable<const Word extends string>(
  words: readonly Word[],
  unavailable: Readonly<Record<string, string>>,
): SettingKind<Word> {
  const kind = oneOf(...words);
  return {
    ...kind,
    parse: (given) => {
      const reason = unavailable[given.toLowerCase()];
      return reason === undefined ? kind.parse(given) : { expected: `${kind.expects}: ${reason}` };
    },
  };
}

/** A comma list of names, in any case, or `off` for none of them. */
export function listOf<const Word extends string>(...words: readonly Word[]): SettingKind<readonly Word[]> {
  const expects = `a comma list out of ${quoteAll(words)}, or \`off\``;
  return kindOf(expects, (given) => {
    if (given.toLowerCase() === 'off') return [];
    const known = splitList(given).map((part) =>
      words.find((word) => word.toLowerCase() === part.toLowerCase()),
    );
    const isComplete = known.length > 0 && known.every((word) => word !== undefined);
    return isComplete ? [...new Set(known as Word[])] : undefined;
  });
}

/** A comma list of plugin names; `bundled` stands for those that come with the gateway. */
export const pluginList: SettingKind<readonly string[]> = kindOf(
  '`bundled`, `off`, or a comma list of plugin names (letters, digits, `-`, `_`), which may hold `bundled`',
  (given) => {
    if (given === 'off') return [];
    const names = splitList(given);
    const isUsable = names.length > 0 && names.every((name) => /^[a-z0-9_-]+$/i.test(name) && name !== 'off');
    return isUsable ? [...new Set(names)] : undefined;
  },
);

/** A comma list of addresses and CIDR blocks. */
export const addressBlocks: SettingKind<readonly string[]> = kindOf(
  'a comma list of IP addresses and CIDR blocks, such as `10.0.0.0/8, ::1`',
  (given) => {
    const blocks = splitList(given);
    return blocks.every(isAddressBlock) ? blocks : undefined;
  },
);

function isAddressBlock(block: string): boolean {
  const [address = '', bits, ...surplus] = block.split('/');
  const version = isIP(address);
  if (version === 0 || surplus.length > 0) return false;
  return bits === undefined || (DECIMAL.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

export const uuid: SettingKind<string> = kindOf('a UUID', (given) =>
  UUID.test(given) ? given.toLowerCase() : undefined,
);

/** A comma list of absolute http and https URLs. */
export const webUrls: SettingKind<readonly string[]> = kindOf(
  'a comma list of http or https URLs',
  (given) => {
    const urls = splitList(given);
    const isUsable = urls.length > 0 && urls.every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''));
    return isUsable ? urls : undefined;
  },
);

export const postgresUrl: SettingKind<string> = kindOf('a URL that starts with `postgres://`', (given) =>
  /^postgres(ql)?:$/.test(URL.parse(given)?.protocol ?? '') ? given : undefined,
);

export const redisUrl: SettingKind<string> = kindOf(
  'a URL such as `redis://user:password@host:6379/0`, or `rediss://…` with TLS',
  (given) => {
    const url = URL.parse(given);
    if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return undefined;
    return isDecodable(url.username) && isDecodable(url.password) && /^(?:|\/|\/\d{1,5})$/.test(url.pathname)
      ? given
      : undefined;
  },
);

const KEY_BYTES = 32;

/** A comma list of keys. The texts are kept: they are decoded where they are used. */
export const encryptionKeys: SettingKind<readonly string[]> = kindOf(
  'a comma list of keys of 32 bytes, each in base64 or hexadecimal',
  (given) => {
    const keys = splitList(given);
    return keys.length > 0 && keys.every((key) => decodeEncryptionKey(key) !== undefined) ? keys : undefined;
  },
);

/** Undefined for what is no key. */
export function decodeEncryptionKey(text: string): Buffer | undefined {
  const isHex = /^[0-9a-f]{64}$/i.test(text);
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  const key = Buffer.from(text, isHex ? 'hex' : 'base64');
  return key.length === KEY_BYTES ? key : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A number of workers; `auto` is one for each core this process may use. */
export function workerCount(availableCores: () => number): SettingKind<number> {
  return kindOf('a whole number from 1 to 256, or `auto`', (given) => {
    if (given === 'auto') return availableCores();
    const value = Number(given);
    return DECIMAL.test(given) && value >= 1 && value <= 256 ? value : undefined;
  });
}

function quoteAll(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}
