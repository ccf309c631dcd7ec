/** `tollgate plugin publish`, `list`, `rollback` and `inspect`: what operators do to a running gateway, and before. */
import { describeCapabilities } from '../authoring/describe-capabilities.ts';
import { askGateway } from '../authoring/gateway-client.ts';
import { readArtefactAt } from '../authoring/read-artefact.ts';
import type { PackageDetail, PackageSummary, VersionSummary } from '../packages/describe-package.ts';
import type { PackageForecast } from '../packages/package-publisher.ts';
import { describeArtefact } from './describe-artefact.ts';
import type { PublishingCommand } from './parse-publishing.ts';

/** Returns lines to show. Rejects with errors whose message says everything. */
export async function runPublishing(command: PublishingCommand): Promise<readonly string[]> {
  switch (command.action) {
    case 'publish':
      return publish(command);
    case 'list':
      return list(command.adminUrl, command.name);
    case 'rollback': {
      const path = `/plugin-packages/${encodeURIComponent(command.name)}/rollback`;
      return describePackage((await askGateway(command.adminUrl, 'POST', path)) as PackageDetail);
    }
    case 'inspect':
      return describeArtefact(await readArtefactAt(command.path));
  }
}

async function publish(
  command: Extract<PublishingCommand, { readonly action: 'publish' }>,
): Promise<readonly string[]> {
  const { adminUrl, path, percent, onError, isDryRun } = command;
  const query = new URLSearchParams({
    ...(percent !== undefined && { percent }),
    ...(onError !== undefined && { on_error: onError }),
    ...(isDryRun && { dry_run: 'true' }),
  });
  const document = JSON.stringify(await readArtefactAt(path));
  const answer = await askGateway(adminUrl, 'POST', `/plugin-packages?${query}`, document);
  return isDryRun ? describeForecast(answer as PackageForecast) : describePackage(answer as PackageDetail);
}

interface SandboxState {
  readonly package: string;
  readonly worker: number;
  readonly state: string;
}

/** `name` undefined: all packages, without versions that are only kept. */
async function list(adminUrl: string, name: string | undefined): Promise<readonly string[]> {
  const { data: sandboxes } = (await askGateway(adminUrl, 'GET', '/sandbox')) as {
    readonly data: readonly SandboxState[];
  };
  const statesOf = (summary: PackageSummary) =>
    sandboxes
      .filter((sandbox) => sandbox.package === summary.name && sandbox.state !== 'serving')
      .map(({ worker, state }) => `  ${state} in worker ${worker}`);
  if (name !== undefined) {
    const path = `/plugin-packages/${encodeURIComponent(name)}`;
    const detail = (await askGateway(adminUrl, 'GET', path)) as PackageDetail;
    const kept = detail.versions.map(
      ({ version, digest }) =>
        `  ${version} ${digest.slice(0, 12)}${digest === detail.active?.digest ? ', in use' : ''}`,
    );
    return [...describePackage(detail), ...statesOf(detail), 'versions:', ...kept];
  }
  const { data } = (await askGateway(adminUrl, 'GET', '/plugin-packages')) as {
    readonly data: readonly PackageSummary[];
  };
  if (data.length === 0) return ['no packages are published'];
  return data.flatMap((summary) => [...describePackage(summary), ...statesOf(summary)]);
}

function describePackage({ name, percent, active, previous, problem }: PackageSummary): readonly string[] {
  const share = previous === null ? '' : `, ${percent} % of the requests, before it ${previous.version}`;
  return [
    `${name} ${active?.version ?? ''}${share}`,
    ...(active === null ? [] : describePlugins(active)),
    ...(problem === null ? [] : [`  does not run here: ${problem}`]),
  ];
}

function describeForecast({ name, before, after }: PackageForecast): readonly string[] {
  return [
    `${name} ${after.version} could be published`,
    ...describePlugins(after),
    ...(before === null ? [] : [`in place of ${before.version}`, ...describePlugins(before)]),
  ];
}

function describePlugins({ plugins }: VersionSummary): readonly string[] {
  return plugins.map(
    ({ name, version, capabilities }) => `  plugin ${name} ${version}: ${describeCapabilities(capabilities)}`,
  );
}
