/** What is accepted as a version of a plugin package, and what is said of the rest. */
import { describe, expect, it } from 'vitest';
import { readArtefact, sealArtefact } from '../../../../core/sandbox/plugin-artefact.ts';
import type { PackageManifest, PluginManifest } from '../../../../sdk/protocol/manifest.ts';
import { PROTOCOL_VERSION } from '../../../../sdk/protocol/version.ts';

const PLUGIN: PluginManifest = {
  name: 'hello',
  aliases: [],
  version: '1.0.0',
  priority: 10,
  phases: ['access'],
  scopes: ['global'],
  protocols: ['http'],
  schema: { type: 'record', fields: { text: { type: 'string', default: 'hi' } } },
  capabilities: {},
  metrics: {},
  logRecord: 'full',
  responseNeeds: '',
};

const manifestOf = (...plugins: unknown[]) =>
  ({ protocolVersion: PROTOCOL_VERSION, plugins }) as unknown as PackageManifest;

const seal = (changes: Partial<Parameters<typeof sealArtefact>[0]> = {}) =>
  sealArtefact({
    name: '@acme/hello',
    version: '1.0.0',
    manifest: manifestOf(PLUGIN),
    code: 'globalThis.tollgate = {}',
    sourceMap: '',
    ...changes,
  });

const sent = (artefact: unknown) => JSON.parse(JSON.stringify(artefact)) as Record<string, unknown>;

describe('an artefact', () => {
  it('is refused when it is nested so deeply that nobody can go through it', () => {
    const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
    const manifest = { ...manifestOf(PLUGIN), deep } as unknown as PackageManifest;
    expect(() => readArtefact(sent(seal({ manifest })))).toThrow('manifest is nested too deeply');
  });

  it('is read as it was sealed, and sealed the same every time', () => {
    expect(readArtefact(sent(seal()))).toEqual(seal());
    expect(seal().digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['code', 'globalThis.tollgate = { evil: true }'],
    ['sourceMap', '{"version":3}'],
    ['version', '1.0.1'],
    ['name', 'hello'],
    ['manifest', manifestOf({ ...PLUGIN, capabilities: { requestBody: true } })],
  ])('is refused when its %s is not what the digest was made of', (member, value) => {
    expect(() => readArtefact(sent({ ...seal(), [member]: value }))).toThrow(/^digest does not match/);
  });

  it.each([
    [{ name: '../evil' }, /^name must be that of an npm package/],
    [{ name: 'A' }, /^name must be/],
    [{ version: 'latest' }, /^version must be/],
    [{ code: '' }, /^code must be/],
    [{ code: 'x'.repeat(5_000_000) }, /^code must be/],
    [{ manifest: manifestOf() }, /1 to 50 plugins/],
    [{ manifest: manifestOf(...Array(51).fill(PLUGIN)) }, /1 to 50 plugins/],
    [{ manifest: { ...manifestOf(PLUGIN), protocolVersion: 0 } }, /was built for version 0 of the protocol/],
    [{ manifest: manifestOf(PLUGIN, { ...PLUGIN, aliases: ['other'] }) }, /two plugins .* are named 'hello'/],
    [{ manifest: manifestOf({ ...PLUGIN, name: '__proto__' }) }, /name must be lower case/],
    [{ manifest: manifestOf({ ...PLUGIN, priority: null }) }, /priority must be a number/],
    [{ manifest: manifestOf({ ...PLUGIN, phases: ['admin'] }) }, /phases must be among/],
    [
      { manifest: manifestOf({ ...PLUGIN, capabilities: { everything: true } }) },
      /no capability 'everything'/,
    ],
    [{ manifest: manifestOf({ ...PLUGIN, capabilities: { requestBody: 1 } }) }, /must be true or false/],
    [{ manifest: manifestOf({ ...PLUGIN, schema: { type: 'string' } }) }, /must be made with s\.config/],
    [
      { manifest: manifestOf({ ...PLUGIN, schema: { type: 'record', fields: { a: { type: 'array' } } } }) },
      /schema\.a\.elements is no field/,
    ],
    [
      {
        manifest: manifestOf({
          ...PLUGIN,
          schema: { type: 'record', fields: { a: { type: 'string', match: '(' } } },
        }),
      },
      /schema\.a\.match is no regular expression/,
    ],
    [{ manifest: manifestOf({ ...PLUGIN, metrics: { 'a b': {} } }) }, /no name of a metric/],
  ])('is refused with what is wrong: %#', (changes, problem) => {
    expect(() => readArtefact(sent(seal(changes as Parameters<typeof seal>[0])))).toThrow(problem);
  });

  it('may ask for every capability there is', () => {
    const capabilities = {
      entities: ['acls'],
      crypto: true,
      counters: ['cluster', 'redis'],
      egress: ['https://api.example.com', '10.0.0.0/8'],
      requestBody: true,
      responseBody: true,
      traceExport: false,
      uriCaptures: true,
    };
    const artefact = seal({ manifest: manifestOf({ ...PLUGIN, capabilities }) });
    expect(readArtefact(sent(artefact))).toEqual(artefact);
  });

  it('is no endless nest of fields', () => {
    let field: unknown = { type: 'string' };
    for (let depth = 0; depth < 20; depth++) field = { type: 'array', elements: field };
    const plugin = { ...PLUGIN, schema: { type: 'record', fields: { field } } };
    expect(() => readArtefact(sent(seal({ manifest: manifestOf(plugin) })))).toThrow(/nested too deeply/);
  });
});
