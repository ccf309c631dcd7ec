/** compose.yaml and what it mounts, as far as it can be held true without a Docker engine. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../core/parse-command.ts';
import { loadSettings, type Settings } from '../../../core/settings/load-settings.ts';
import {
  type ComposeService,
  interpolate,
  ROOT,
  readCompose,
  readDockerfile,
  readText,
  readYaml,
} from './repository-files.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const gateways = services.filter(([name]) => name.startsWith('gateway-'));
const ours = services.filter(([, service]) => service.build !== undefined);

const environmentOf = ({ environment = {} }: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolate(value)]));
const settingsOf = (service: ComposeService): Settings => loadSettings(environmentOf(service)).settings;
/** [address, host port, container port]; every address when none is given. */
const portsOf = ({ ports = [] }: ComposeService) =>
  ports.map((text) => {
    const [container = '', host = '', address = '0.0.0.0'] = text.split(':').reverse();
    return { address, host: Number(host), container: Number(container) };
  });

describe('compose.yaml', () => {
  it('has two gateways, Postgres, Redis, Prometheus and Grafana', () => {
    expect(Object.keys(compose.services)).toEqual([
      'gateway-1',
      'gateway-2',
      'migrations',
      'postgres',
      'redis',
      'prometheus',
      'grafana',
    ]);
  });

  it('sets only settings that exist, to values that can be used', () => {
    for (const [, service] of ours) {
      expect(loadSettings(environmentOf(service)).warnings).toEqual([]);
      expect(settingsOf(service).database).toBe('postgres');
    }
  });

  it('tells the gateways the database that Postgres makes', () => {
    const postgres = environmentOf(compose.services['postgres'] as ComposeService);
    for (const [, service] of ours) {
      expect(settingsOf(service)).toMatchObject({
        pgHost: 'postgres',
        pgPort: 5432,
        pgUser: postgres['POSTGRES_USER'],
        pgPassword: postgres['POSTGRES_PASSWORD'],
        pgDatabase: postgres['POSTGRES_DB'],
      });
    }
  });

  it('publishes ports that something listens on, each once, and only the proxy beyond this machine', () => {
    for (const [, service] of gateways) {
      const { proxyListen, adminListen, statusListen } = settingsOf(service);
      const listeners = [...proxyListen, ...adminListen, ...statusListen];
      expect(listeners.map(({ address }) => address)).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
      expect(portsOf(service).map(({ container }) => container)).toEqual(listeners.map(({ port }) => port));
    }
    const published = services.flatMap(([name, service]) =>
      portsOf(service).map((port) => ({ name, ...port })),
    );
    const hostPorts = published.map(({ host }) => host);
    expect(hostPorts).toEqual([...new Set(hostPorts)]);
    const proxyPorts = new Set([8000]);
    const open = published.filter(({ address }) => address !== '127.0.0.1');
    expect(
      open.filter(({ name, container }) => !name.startsWith('gateway-') || !proxyPorts.has(container)),
    ).toEqual([]);
  });

  it('starts the gateways once the database has been migrated', () => {
    const migrations = compose.services['migrations'];
    expect(parseCommand(migrations?.command ?? [])).toEqual({ kind: 'migrations', action: 'up' });
    for (const [, service] of gateways) {
      expect(service.depends_on?.['migrations']).toEqual({ condition: 'service_completed_successfully' });
    }
  });

  it('waits for services that are there and can tell that they are well', () => {
    const checksItself = readDockerfile().getHEALTHCHECKs().length > 0;
    for (const [, { depends_on = {} }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const awaited = compose.services[name];
        expect(awaited, name).toBeDefined();
        if (condition !== 'service_healthy') continue;
        const isChecked =
          awaited?.healthcheck?.test !== undefined || (awaited?.build !== undefined && checksItself);
        expect(isChecked, name).toBe(true);
      }
    }
  });

  it('mounts files that are there and volumes that are declared, each used', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((text) => text.split(':')[0] ?? ''),
    );
    const isPath = (source: string) => source.startsWith('.');
    expect(mounts.filter((source) => isPath(source) && !existsSync(join(ROOT, source)))).toEqual([]);
    expect(mounts.filter((source) => !isPath(source)).toSorted()).toEqual(
      Object.keys(compose.volumes).toSorted(),
    );
  });

  it('keeps what each gateway remembers where the image keeps it', () => {
    const volume = readDockerfile()
      .getInstructions()
      .find((instruction) => instruction.getKeyword() === 'VOLUME');
    const dataDir = volume?.getArgumentsContent();
    const volumes = gateways.map(([, service]) => service.volumes ?? []);
    expect(volumes).toEqual([[`gateway-1-data:${dataDir}`], [`gateway-2-data:${dataDir}`]]);
  });

  it('gives requests in flight their time to end', () => {
    for (const [, service] of gateways) {
      const graceSeconds = Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1]);
      expect(graceSeconds).toBeGreaterThan(settingsOf(service).shutdownTimeoutSeconds);
    }
  });

  it('has no password but those for the demonstration, which can be replaced', () => {
    const secrets = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|TOKEN|KEY/.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(0);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{\w+:-demo-password\}$/);
  });

  it('names versions, never the latest', () => {
    const images = services.filter(([, { build }]) => build === undefined).map(([, { image = '' }]) => image);
    for (const image of images) expect(image).toMatch(/^[\w./-]+:v?\d+(?:\.\d+)*(?:-\w+)?$/);
  });
});

describe('prometheus.yml', () => {
  interface PrometheusConfig {
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly metrics_path: string;
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }[];
  }
  const { scrape_configs } = readYaml<PrometheusConfig>('deploy/prometheus/prometheus.yml');

  it('scrapes the metrics of every gateway from its status listener', () => {
    expect(scrape_configs).toHaveLength(1);
    const [job] = scrape_configs;
    const expected = gateways.flatMap(([name, service]) =>
      settingsOf(service).statusListen.map(({ port }) => `${name}:${port}`),
    );
    expect(job?.metrics_path).toBe('/metrics');
    expect(job?.static_configs.flatMap(({ targets }) => targets)).toEqual(expected);
  });

  it('is mounted where the server looks for it', () => {
    expect(compose.services['prometheus']?.volumes).toContain(
      './deploy/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro',
    );
  });
});

describe('what Grafana is given', () => {
  interface DataSources {
    readonly datasources: readonly { readonly uid: string; readonly url: string; readonly type: string }[];
  }
  interface Providers {
    readonly providers: readonly { readonly type: string; readonly options: { readonly path: string } }[];
  }
  const grafana = compose.services['grafana'] as ComposeService;
  const folderOf = (path: string) =>
    (grafana.volumes ?? [])
      .map((text) => text.split(':'))
      .find(([, target = '']) => path.startsWith(target) && target !== '/var/lib/grafana')?.[0];

  it('is the Prometheus beside it', () => {
    const { datasources } = readYaml<DataSources>('deploy/grafana/provisioning/datasources/prometheus.yaml');
    expect(datasources).toMatchObject([
      { uid: 'prometheus', type: 'prometheus', url: 'http://prometheus:9090' },
    ]);
  });

  it('is a folder of dashboards that is mounted, with the first page in it', () => {
    const { providers } = readYaml<Providers>('deploy/grafana/provisioning/dashboards/tollgate.yaml');
    const path = providers[0]?.options.path ?? '';
    expect(providers).toHaveLength(1);
    expect(folderOf(path)).toBe('./deploy/grafana/dashboards');
    expect(folderOf('/etc/grafana/provisioning')).toBe('./deploy/grafana/provisioning');
    const home = environmentOf(grafana)['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(home.startsWith(`${path}/`)).toBe(true);
    expect(statSync(join(ROOT, 'deploy/grafana/dashboards', home.slice(path.length))).isFile()).toBe(true);
  });

  it('holds no data source but that one', () => {
    const dashboard = readText('deploy/grafana/dashboards/tollgate.json');
    const uids = [...dashboard.matchAll(/"type": "prometheus",\s*"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set(['prometheus']));
  });
});
