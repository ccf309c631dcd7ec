/** `tollgate plugin publish`, `list` and `rollback`: what operators do to a running gateway, through its Admin API. */
import { readFileSync, statSync } from 'node:fs';
import { buildArtefact } from '../authoring/build-artefact.ts';
import { readPackage } from '../authoring/read-package.ts';
import type { BrokenConfiguration } from '../packages/broken-configurations.ts';
import type { PackageDetail, PackageSummary, VersionSummary } from '../packages/describe-package.ts';
import type { PackageForecast } from '../packages/package-publisher.ts';
import type { PublishingCommand } from './parse-publishing.ts';

/** Why the gateway has not done it; the message says everything. */
export class PublishingError extends Error {
  override readonly name = 'PublishingError';
}

/** Returns lines to show. Rejects with errors whose message says everything. */
export async function runPublishing(command: PublishingCommand): Promise<readonly string[]> {
  const { adminUrl } = command;
  switch (command.action) {
    case 'publish': {
      const artefact = await readDocument(command.path);
      const query = new URLSearchParams({
        ...(command.percent !== undefined && { percent: command.percent }),
        ...(command.onError !== undefined && { on_error: command.onError }),
        ...(command.isDryRun && { dry_run: 'true' }),
      });
      const answer = await call(adminUrl, 'POST', `/plugin-packages?${query}`, artefact);
      return command.isDryRun
        ? describeForecast(answer as PackageForecast)
        : describePackage(answer as PackageDetail);
    }
    case 'list': {
      const { data } = (await call(adminUrl, 'GET', '/plugin-packages')) as {
        readonly data: readonly PackageSummary[];
      };
      return data.length === 0 ? ['no packages are published'] : data.flatMap(describePackage);
    }
    case 'rollback': {
      const path = `/plugin-packages/${encodeURIComponent(command.name)}/rollback`;
      return describePackage((await call(adminUrl, 'POST', path)) as PackageDetail);
    }
  }
}

async function readDocument(path: string): Promise<string> {
  try {
    if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PublishingError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return JSON.stringify(await buildArtefact(readPackage(path)));
}

async function call(adminUrl: string, method: string, path: string, body?: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(adminUrl + path, {
      method,
      ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
    });
  } catch (error) {
    const { cause } = error as Error;
    const reason = cause instanceof Error ? cause.message || cause.name : (error as Error).message;
    throw new PublishingError(`no gateway answers at ${adminUrl}: ${reason}`);
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new PublishingError(describeRefusal(response.status, text));
}

function describeRefusal(status: number, text: string): string {
  try {
    const { message, broken = [] } = JSON.parse(text) as {
      readonly message: string;
      readonly broken?: readonly BrokenConfiguration[];
    };
    const lines = broken.map(({ id, name, fields }) => `  ${name} ${id}: ${JSON.stringify(fields)}`);
    return [message, ...lines].join('\n');
  } catch {
    return `the gateway answered with ${status}`;
  }
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
  return plugins.map(({ name, version, capabilities }) => {
    const reached = Object.entries(capabilities).flatMap(([capability, value]) =>
      Array.isArray(value) ? `${capability}: ${value.join(', ')}` : value ? capability : [],
    );
    return `  plugin ${name} ${version}: ${reached.length === 0 ? 'no capabilities' : reached.join('; ')}`;
  });
}
