/** Paths that exist in Kong and always refuse here, with the texts clients know (contract/admin-api.md sections 3.7, 3.8, 3.11, 6, 7). */
import { type AdminHandler, answerMessage, type Endpoint } from './admin-exchange.ts';

const needsNoDatabase: AdminHandler = () =>
  answerMessage(400, 'this endpoint is only available when Kong is configured to not use a database');

const needsControlPlane: AdminHandler = () =>
  answerMessage(
    400,
    'this endpoint is only available when Kong is configured to run as Control Plane for the cluster',
  );

const needsWasm: AdminHandler = () =>
  answerMessage(400, 'this endpoint is only available when wasm is enabled');

/** Generated or not, these answer 404. */
export const DISABLED_TEMPLATES: readonly string[] = [
  '/targets',
  '/targets/{targets}',
  '/targets/{targets}/upstream',
  '/snis/{snis}/certificate',
];

const collection = (template: string, handler: AdminHandler): Endpoint => ({
  template,
  methods: { GET: handler, POST: handler },
});

const entity = (template: string, handler: AdminHandler): Endpoint => ({
  template,
  methods: { GET: handler, PUT: handler, PATCH: handler, DELETE: handler },
});

export function unavailableEndpoints(): Endpoint[] {
  return [
    { template: '/config', methods: { GET: needsNoDatabase, POST: needsNoDatabase }, acceptsYaml: true },
    { template: '/clustering/data-planes', methods: { GET: needsControlPlane } },
    { template: '/clustering/status', methods: { GET: needsControlPlane } },
    {
      template: '/status/dns',
      methods: { GET: () => answerMessage(501, 'not implemented with the legacy DNS client') },
    },
    ...['', '/services/{services}', '/routes/{routes}'].flatMap((parent) => [
      collection(`${parent}/filter-chains`, needsWasm),
      entity(`${parent}/filter-chains/{filter_chains}`, needsWasm),
    ]),
    ...['all', 'enabled', 'disabled'].map((which) => ({
      template: `/routes/{routes}/filters/${which}`,
      methods: { GET: needsWasm },
    })),
    ...DISABLED_TEMPLATES.map((template) => ({ template, methods: {}, isDisabled: true })),
  ];
}
