/** The Admin API of a running gateway, as far as authors need it. */
import type { PluginArtefact } from '../sandbox/plugin-artefact.ts';

export type Publication = { readonly ok: true } | { readonly ok: false; readonly problem: string };

interface Refusal {
  readonly message?: string;
  /** Stored configurations that the version would break. */
  readonly broken?: readonly { readonly id: string; readonly name: string; readonly fields: unknown }[];
}

/** False when nobody answers there. */
export async function isGatewayAt(adminUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${adminUrl}/plugin-packages`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Resolves once the workers of that gateway serve the version, or to why they do not. Never rejects. */
export async function publishArtefact(adminUrl: string, artefact: PluginArtefact): Promise<Publication> {
  try {
    const response = await fetch(`${adminUrl}/plugin-packages`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(artefact),
    });
    const answer = (await response.json()) as Refusal;
    if (response.ok) return { ok: true };
    const broken = (answer.broken ?? []).map(
      ({ id, name, fields }) => `\n  plugin ${name} ${id}: ${JSON.stringify(fields)}`,
    );
    return { ok: false, problem: `${answer.message ?? `status ${response.status}`}${broken.join('')}` };
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    return { ok: false, problem: `the gateway at ${adminUrl} cannot be asked: ${String(cause)}` };
  }
}
