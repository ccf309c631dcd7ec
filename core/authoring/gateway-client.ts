/** The Admin API of a running gateway, as far as authors and operators of packages need it. */

/** Why the gateway has not done it; the message says everything. */
export class GatewayRefusal extends Error {
  override readonly name = 'GatewayRefusal';
}

interface RefusalBody {
  readonly message: string;
  /** Stored configurations that a version would break. */
  readonly broken?: readonly { readonly id: string; readonly name: string; readonly fields: unknown }[];
}

/** False when nobody answers there, or somebody else does. */
export async function isGatewayAt(adminUrl: string): Promise<boolean> {
  try {
    await askGateway(adminUrl, 'GET', '/plugin-packages');
    return true;
  } catch {
    return false;
  }
}

/** `body`: JSON. Resolves to what is answered, parsed. Rejects with GatewayRefusal. */
export async function askGateway(
  adminUrl: string,
  method: string,
  path: string,
  body?: string,
): Promise<unknown> {
  const response = await send(adminUrl + path, {
    method,
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
  }).catch((error: Error) => {
    const { cause } = error;
    const reason = cause instanceof Error ? cause.message || cause.name : error.message;
    throw new GatewayRefusal(`no gateway answers at ${adminUrl}: ${reason}`);
  });
  if (!response.ok) throw new GatewayRefusal(describeRefusal(response));
  try {
    return JSON.parse(response.text);
  } catch {
    throw new GatewayRefusal(`what answers at ${adminUrl} is no Admin API of a gateway`);
  }
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

async function send(url: string, request: RequestInit): Promise<Answer> {
  const response = await fetch(url, request);
  return { ok: response.ok, status: response.status, text: await response.text() };
}

function describeRefusal({ status, text }: Answer): string {
  try {
    const { message, broken = [] } = JSON.parse(text) as RefusalBody;
    const lines = broken.map(({ id, name, fields }) => `  ${name} ${id}: ${JSON.stringify(fields)}`);
    return [message, ...lines].join('\n');
  } catch {
    return `the gateway answered with ${status}`;
  }
}
