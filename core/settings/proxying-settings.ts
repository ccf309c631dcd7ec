/** How requests are passed on and answered. */
import {
  addressBlocks,
  byteSize,
  dnsServers,
  listOf,
  oneOf,
  oneOfAvailable,
  onOff,
  text,
  wholeNumber,
} from './setting-kind.ts';
import { defaulted, optional } from './setting-row.ts';
import { templateFile } from './template-file.ts';

const errorTemplate = (format: 'html' | 'json' | 'plain' | 'xml') =>
  optional({
    group: 'Proxying',
    name: `error_template_${format}`,
    kind: templateFile,
    absent: 'the gateway’s own',
    description: `A file with the body of ${format === 'plain' ? 'plain text' : format.toUpperCase()} errors: the first \`%s\` in it becomes the message, the second the id of the request.`,
  });

export const PROXYING_SETTINGS = {
  trustedIps: defaulted({
    group: 'Proxying',
    name: 'trusted_ips',
    kind: addressBlocks,
    default: '',
    description: 'Peers whose `X-Forwarded-*` headers and client address are believed; empty for nobody.',
  }),
  realIpHeader: defaulted({
    group: 'Proxying',
    name: 'real_ip_header',
    kind: oneOf('X-Real-IP', 'X-Forwarded-For'),
    default: 'X-Real-IP',
    description: 'Header from which a trusted peer’s client address is taken.',
  }),
  isRealIpRecursive: defaulted({
    group: 'Proxying',
    name: 'real_ip_recursive',
    kind: onOff,
    default: 'off',
    description:
      'With `on` the client is the last address in `real_ip_header` that is not trusted, with `off` the last one.',
  }),
  headers: defaulted({
    group: 'Proxying',
    name: 'headers',
    kind: listOf(
      'server_tokens',
      'latency_tokens',
      'Server',
      'Via',
      'X-Kong-Proxy-Latency',
      'X-Kong-Response-Latency',
      'X-Kong-Upstream-Latency',
      'X-Kong-Admin-Latency',
      'X-Kong-Upstream-Status',
      'X-Kong-Request-Id',
    ),
    default: 'server_tokens, latency_tokens, X-Kong-Request-Id',
    description:
      'Headers the gateway adds to answers. `server_tokens` is `Server` and `Via`; `latency_tokens` is the four latencies.',
  }),
  headersUpstream: defaulted({
    group: 'Proxying',
    name: 'headers_upstream',
    kind: listOf('X-Kong-Request-Id'),
    default: 'X-Kong-Request-Id',
    description: 'Headers the gateway adds to requests to upstreams, besides those of forwarding.',
  }),
  isDebugHeaderAllowed: defaulted({
    group: 'Proxying',
    name: 'allow_debug_header',
    kind: onOff,
    default: 'off',
    description: 'Whether a request with `Kong-Debug: 1` is answered with the route and service it matched.',
  }),
  errorDefaultType: defaulted({
    group: 'Proxying',
    name: 'error_default_type',
    kind: oneOf('text/plain', 'text/html', 'application/json', 'application/xml'),
    default: 'text/plain',
    description: 'Media type of an error when the request says nothing about what it accepts.',
  }),
  errorTemplateHtml: errorTemplate('html'),
  errorTemplateJson: errorTemplate('json'),
  errorTemplatePlain: errorTemplate('plain'),
  errorTemplateXml: errorTemplate('xml'),
  routerFlavor: defaulted({
    group: 'Proxying',
    name: 'router_flavor',
    kind: oneOfAvailable(['traditional'], {
      traditional_compatible: '`traditional_compatible` is not available in this version',
      expressions: '`expressions` is not available in this version',
    }),
    default: 'traditional',
    description: 'How routes are matched and ranked.',
  }),
  upstreamKeepalivePoolSize: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_pool_size',
    kind: wholeNumber(0, 65_535),
    default: '512',
    description: 'Idle connections kept for each upstream address, in each worker. 0 keeps none.',
  }),
  upstreamKeepaliveMaxRequests: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_max_requests',
    kind: wholeNumber(0),
    default: '10000',
    description: 'Requests sent over one upstream connection before it is closed. 0 is no limit.',
  }),
  upstreamKeepaliveIdleTimeoutSeconds: defaulted({
    group: 'Proxying',
    name: 'upstream_keepalive_idle_timeout',
    kind: wholeNumber(0, 86_400),
    default: '60',
    description: 'Seconds an idle upstream connection is kept. 0 is no limit.',
  }),
  dnsServers: optional({
    group: 'Proxying',
    name: 'dns_resolver',
    kind: dnsServers,
    absent: 'Those of `/etc/resolv.conf`.',
    description:
      'Servers that are asked for names of services and targets, `address` or `address:port` each.',
  }),
  dnsHostsFile: defaulted({
    group: 'Proxying',
    name: 'dns_hostsfile',
    kind: text,
    default: '/etc/hosts',
    description:
      'Names with their addresses, looked at before any server is asked; read again when it changes.',
  }),
  dnsOrder: defaulted({
    group: 'Proxying',
    name: 'dns_order',
    kind: listOf('LAST', 'SRV', 'A', 'AAAA', 'CNAME'),
    default: 'LAST,SRV,A,AAAA',
    description:
      'Types of records in the order they are asked for. `LAST` is the type that had the answer before; `CNAME` says nothing, since aliases are always followed.',
  }),
  dnsValidTtlSeconds: optional({
    group: 'Proxying',
    name: 'dns_valid_ttl',
    kind: wholeNumber(0, 86_400),
    absent: 'What each answer says.',
    description: 'Seconds an answer of a server is used.',
  }),
  dnsStaleTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_stale_ttl',
    kind: wholeNumber(0, 86_400),
    default: '3600',
    description: 'Seconds an answer serves beyond its time while a new one is fetched or cannot be had.',
  }),
  dnsNotFoundTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_not_found_ttl',
    kind: wholeNumber(0, 86_400),
    default: '30',
    description: 'Seconds a name that does not exist is not asked for again.',
  }),
  dnsErrorTtlSeconds: defaulted({
    group: 'Proxying',
    name: 'dns_error_ttl',
    kind: wholeNumber(0, 86_400),
    default: '1',
    description: 'Seconds a name is not asked for again after a failure of the servers.',
  }),
  dnsCacheSize: defaulted({
    group: 'Proxying',
    name: 'dns_cache_size',
    kind: wholeNumber(1, 1_000_000),
    default: '10000',
    description: 'Names each worker remembers.',
  }),
  clientMaxBodyBytes: defaulted({
    group: 'Proxying',
    name: 'client_max_body_size',
    kong: 'nginx_http_client_max_body_size',
    kind: byteSize,
    default: '0',
    description: 'Largest request body, in bytes; a larger one is answered with 413. 0 is no limit.',
  }),
  clientTimeoutSeconds: defaulted({
    group: 'Proxying',
    name: 'client_timeout',
    kong: false,
    kind: wholeNumber(1, 86_400),
    default: '60',
    description:
      'Seconds a client may take for the head of a request, and may stay silent in the middle of a body: then it gets 408. The fast server gives heads `client_keepalive_timeout` instead.',
  }),
  clientKeepaliveSeconds: defaulted({
    group: 'Proxying',
    name: 'client_keepalive_timeout',
    kong: false,
    kind: wholeNumber(4, 900),
    default: '75',
    description: 'Seconds a connection of a client may lie idle between two requests.',
  }),
  clientBodyBufferBytes: defaulted({
    group: 'Proxying',
    name: 'client_body_buffer_size',
    kong: 'nginx_http_client_body_buffer_size',
    kind: byteSize,
    default: '1m',
    description: 'Bytes of memory a request body may take where it has to be held as a whole.',
  }),
} as const;
