/** The body of `/status` from plain numbers, in the unit the client asks for (contract/admin-api.md section 6). */
import { type AdminAnswer, answerJson } from './admin-exchange.ts';
import { AdminRefusal } from './admin-refusal.ts';
import { type Arguments, argumentText } from './parse-arguments.ts';

export interface NodeStatus {
  /** Heap in use per data plane worker. */
  readonly workers: readonly { readonly pid: number; readonly heapBytes: number }[];
  /** Memory shared by the workers, by name. */
  readonly sharedMemory: Readonly<
    Record<string, { readonly capacityBytes: number; readonly allocatedBytes: number }>
  >;
  readonly server: {
    readonly connections_accepted: number;
    readonly connections_active: number;
    readonly connections_handled: number;
    readonly connections_reading: number;
    readonly connections_writing: number;
    readonly connections_waiting: number;
    readonly total_requests: number;
  };
  /** Absent without a database. */
  readonly database?: { readonly reachable: boolean };
  /** Our own: what is served, as numbered by the database. The same number is the same configuration on every node. */
  readonly configuration?: {
    readonly version: number;
    /** Why the database cannot be used. */
    readonly problem: string | undefined;
    readonly workers: readonly { readonly worker: number; readonly version: number }[];
  };
  /** Without a database: 32 hex digits, zeros until a configuration is loaded. */
  readonly configurationHash?: string;
}

type FormatBytes = (bytes: number) => string | number;

const UNITS: Readonly<Record<string, { readonly bytes: number; readonly suffix: string }>> = {
  k: { bytes: 2 ** 10, suffix: 'KiB' },
  m: { bytes: 2 ** 20, suffix: 'MiB' },
  g: { bytes: 2 ** 30, suffix: 'GiB' },
};

/** Reads `unit` (default m) and `scale` (default 2). Throws 400 for an unknown unit or a scale that is no count of digits. */
export function readByteFormat(query: Arguments): FormatBytes {
  const unit = argumentText(query, 'unit') ?? 'm';
  const scale = readScale(argumentText(query, 'scale'));
  if (unit.toLowerCase() === 'b') return (bytes) => bytes;
  const known = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
  if (known === undefined) {
    throw new AdminRefusal(400, `invalid unit '${unit}' (expected 'k/K', 'm/M', or 'g/G')`);
  }
  return (bytes) => `${(bytes / known.bytes).toFixed(scale)} ${known.suffix}`;
}

function readScale(text: string | undefined): number {
  if (text === undefined) return 2;
  const scale = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(scale <= 100))
    throw new AdminRefusal(400, `invalid scale '${text}' (expected an integer between 0 and 100)`);
  return scale;
}

export function answerStatus(status: NodeStatus, format: FormatBytes): AdminAnswer {
  return answerJson(200, {
    memory: {
      workers_lua_vms: status.workers.map(({ pid, heapBytes }) => ({
        pid,
        http_allocated_gc: format(heapBytes),
      })),
      lua_shared_dicts: Object.fromEntries(
        Object.entries(status.sharedMemory).map(([name, memory]) => [
          name,
          { capacity: format(memory.capacityBytes), allocated_slabs: format(memory.allocatedBytes) },
        ]),
      ),
    },
    server: status.server,
    ...(status.database === undefined ? {} : { database: status.database }),
    ...(status.configuration === undefined ? {} : { tollgate: describeConfiguration(status.configuration) }),
    ...(status.configurationHash === undefined ? {} : { configuration_hash: status.configurationHash }),
  });
}

function describeConfiguration({ version, problem, workers }: NonNullable<NodeStatus['configuration']>) {
  return {
    configuration_version: version,
    workers,
    ...(problem === undefined ? {} : { database_problem: problem }),
  };
}
