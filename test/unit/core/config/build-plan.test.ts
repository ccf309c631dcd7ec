/** What a plan says a route's plugins could do, so that requests are spared what none of them does. */
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../../../core/config/build-plan.ts';
import { EMPTY_SNAPSHOT, type PluginRow, type RouteRow } from '../../../../core/config/snapshot.ts';
import type { PluginManifest } from '../../../../sdk/protocol/manifest.ts';

const MANIFEST: PluginManifest = {
  name: 'tracing',
  aliases: [],
  version: '1.0.0',
  priority: 1,
  phases: ['access', 'response', 'log'],
  scopes: ['global', 'service', 'route', 'consumer'],
  protocols: ['http'],
  schema: { type: 'record', fields: {} },
  capabilities: { traceExport: true },
  metrics: {},
  logRecord: 'summary',
  responseNeeds: 'header',
};

const route = (host: string): RouteRow => ({
  id: host,
  name: null,
  created_at: 0,
  protocols: ['http'],
  methods: null,
  hosts: [host],
  paths: null,
  headers: null,
  snis: null,
  regex_priority: 0,
  strip_path: true,
  path_handling: 'v0',
  preserve_host: false,
  https_redirect_status_code: 426,
  request_buffering: true,
  response_buffering: true,
  service: null,
});

function instance(config: PluginRow['config'], scope: Partial<PluginRow> = {}): PluginRow {
  const row = { id: JSON.stringify([config, scope]), name: 'tracing', enabled: true, config };
  return { ...row, route: null, service: null, consumer: null, ...scope };
}

/** The plan of the route on this host, when there are two: `one` and `two`. */
function planOf(host: string, plugins: readonly PluginRow[], manifest: PluginManifest = MANIFEST) {
  const snapshot = { ...EMPTY_SNAPSHOT, routes: [route('one'), route('two')], plugins };
  const { router } = buildPlan(snapshot, [{ protocolVersion: 1, plugins: [manifest] }], () => {});
  const request = {
    method: 'GET',
    host,
    defaultPort: 80,
    path: '/',
    scheme: 'http',
    sni: undefined,
    headers: [],
  };
  const plan = router.match(request as Parameters<typeof router.match>[0])?.value;
  if (plan === undefined) throw new Error('no match');
  return plan;
}

const HEADER = { header: 'x-trace-id' };
const NO_HEADER = { header: null };

describe('the response phase', () => {
  it.each<readonly [string, readonly PluginRow[], boolean, boolean]>([
    ['of an instance that does nothing there', [instance(NO_HEADER)], false, false],
    ['of an instance that says it does nothing there', [instance({ header: false })], false, false],
    ['of an instance on one route', [instance(HEADER, { route: { id: 'one' } })], true, false],
    ['of a global instance', [instance(HEADER)], true, true],
    [
      'behind an instance of the route',
      [instance(HEADER), instance({}, { route: { id: 'two' } })],
      true,
      false,
    ],
    ['of a consumer’s instance', [instance({}), instance(HEADER, { consumer: { id: 'c' } })], true, true],
    [
      'of a consumer’s instance on one route',
      [instance({}), instance(HEADER, { consumer: { id: 'c' }, route: { id: 'two' } })],
      false,
      true,
    ],
  ])('%s', (_, plugins, onOne, onTwo) => {
    expect(planOf('one', plugins).hasResponsePhase).toBe(onOne);
    expect(planOf('two', plugins).hasResponsePhase).toBe(onTwo);
  });

  it('is always there for a plugin that names no need', () => {
    expect(planOf('one', [instance({})], { ...MANIFEST, responseNeeds: '' }).hasResponsePhase).toBe(true);
  });
});

describe('a route', () => {
  it('is traced where a plugin on it exports traces, and nowhere else', () => {
    const plugins = [instance({}, { route: { id: 'one' } })];
    expect(planOf('one', plugins).isTraced).toBe(true);
    expect(planOf('two', plugins).isTraced).toBe(false);
    expect(planOf('one', plugins, { ...MANIFEST, capabilities: {} }).isTraced).toBe(false);
  });

  it('hands over what its pattern has matched where a plugin on it wants to know, and nowhere else', () => {
    const curious = { ...MANIFEST, capabilities: { uriCaptures: true } };
    const plugins = [instance({}), instance({}, { route: { id: 'one' } })];
    expect(planOf('one', plugins, curious).segments[0]?.wantsCaptures).toBe(true);
    expect(planOf('one', plugins).segments[0]?.wantsCaptures).toBe(false);
    expect(planOf('two', plugins.slice(1), curious).segments).toEqual([]);
  });
});
