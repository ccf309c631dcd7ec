/** Where the gateway listens, and with which certificate. */
import { listenersWith } from './listener-kind.ts';
import { certificateFile, keyFile } from './pem-file.ts';
import { oneOf, text, webUrls } from './setting-kind.ts';
import { defaulted, optional } from './setting-row.ts';

export const LISTENER_SETTINGS = {
  proxyListen: defaulted({
    group: 'Listeners',
    name: 'proxy_listen',
    kind: listenersWith('ssl', 'http2', 'strict'),
    default: '0.0.0.0:8000, 0.0.0.0:8443 http2 ssl',
    description:
      'Where clients reach the proxy. `ssl` is TLS and `http2` adds HTTP/2; these and `strict` are served by the stricter of two HTTP servers: see [listeners](listeners.md).',
  }),
  sslCert: optional({
    group: 'Listeners',
    name: 'ssl_cert',
    kind: certificateFile,
    absent: 'one the node makes for itself and keeps in `data_dir`',
    description:
      'A PEM file with the certificate, and its chain, of clients that name no server or an unknown one: see [TLS](tls.md).',
  }),
  sslCertKey: optional({
    group: 'Listeners',
    name: 'ssl_cert_key',
    kind: keyFile,
    absent: 'that of the node’s own certificate',
    description: 'A PEM file with the key of `ssl_cert`.',
  }),
  sslProtocols: defaulted({
    group: 'Listeners',
    name: 'ssl_protocols',
    kind: oneOf('TLSv1.2 TLSv1.3', 'TLSv1.3'),
    default: 'TLSv1.2 TLSv1.3',
    description: 'Versions of TLS that clients may speak.',
  }),
  sslCiphers: optional({
    group: 'Listeners',
    name: 'ssl_ciphers',
    kind: text,
    absent: 'the runtime’s list',
    description: 'Cipher suites that clients may use, in OpenSSL’s notation.',
  }),
  adminListen: defaulted({
    group: 'Listeners',
    name: 'admin_listen',
    kind: listenersWith(),
    default: '127.0.0.1:8001',
    description:
      'Where the Admin API listens. It has no access control of its own: keep it on loopback or a private network.',
  }),
  statusListen: defaulted({
    group: 'Listeners',
    name: 'status_listen',
    kind: listenersWith(),
    default: '127.0.0.1:8100',
    description: 'Where `/status`, `/status/ready` and `/metrics` are served, read-only.',
  }),
  adminGuiUrls: optional({
    group: 'Listeners',
    name: 'admin_gui_url',
    kind: webUrls,
    absent: 'any origin',
    description: 'Origins from which a browser may use the Admin API.',
  }),
} as const;
