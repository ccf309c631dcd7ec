/** Every call in every phase, from JavaScript: what a phase does not allow says so, and where it would be allowed. */
import { loadPlugin, type PluginKit } from '@tollgate/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASE_RULES } from '../../sdk/guest/phase-rules.ts';
import { PHASE_NAMES, type PhaseName } from '../../sdk/protocol/manifest.ts';

const RULES: readonly (readonly [name: string, phases: readonly PhaseName[]])[] = Object.entries(PHASE_RULES);
/** A phase may say no more than 64 things. */
const AT_ONCE = 50;

describe('a call that its phase does not allow', () => {
  let kit: PluginKit;
  beforeAll(async () => {
    kit = await loadPlugin(new URL('./fixtures/every-call.js', import.meta.url));
  });
  afterAll(() => kit?.close());

  /** Name → what was thrown, of the calls that the phase refused. */
  async function refusedIn(phase: PhaseName): Promise<Record<string, string>> {
    const names = RULES.map(([name]) => name);
    const refused: [string, string][] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const { log } = await kit[phase]({}, { names: names.slice(at, at + AT_ONCE) });
      for (const { message } of log) {
        const [, name = '', text = ''] = /^\w+ ([\w.]+): (.*)$/.exec(message) ?? [];
        if (name !== '') refused.push([name, text]);
      }
    }
    return Object.fromEntries(refused);
  }

  it.each(PHASE_NAMES)('is refused by name in %s, and nothing else is', async (phase) => {
    const expected = RULES.filter(([, phases]) => !phases.includes(phase)).map(([name, phases]) => [
      name,
      `kong.${name} cannot be called in ${phase} phase (only in: ${phases.join(', ')})`,
    ]);
    expect(await refusedIn(phase)).toEqual(Object.fromEntries(expected));
  });
});
