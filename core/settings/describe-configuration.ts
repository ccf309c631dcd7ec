/** The effective settings as the `configuration` object of `GET /` (contract/admin-api.md section 6). */
import type { Listener } from './listener-kind.ts';
import { listSettings, type Settings } from './setting-table.ts';

const MASK = '******';

/**
 * Property name → effective value, as JSON. Lists are arrays, switches are `on` and `off`, secrets are masked,
 * and settings without a value are left out.
 */
export function describeConfiguration(settings: Settings): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = {};
  for (const { key, row } of listSettings()) {
    const value = settings[key];
    if (value === undefined) continue;
    const plain = row.kind.show?.(value) ?? value;
    shown[row.name] = row.isSecret ? MASK : plain;
  }
  return {
    ...shown,
    role: 'traditional',
    proxy_listeners: settings.proxyListen.map(describeListener),
    admin_listeners: settings.adminListen.map(describeListener),
    status_listeners: settings.statusListen.map(describeListener),
  };
}

/** The shape in which Kong Manager reads listeners (contract/kong-manager.md). */
function describeListener(listener: Listener): object {
  return { ip: listener.address, port: listener.port, ssl: listener.isSecure, http2: listener.speaksHttp2 };
}
