/** Why a package is not taken, for whoever wanted it. */
import { ArtefactError } from '../sandbox/plugin-artefact.ts';
import { ArrangementError } from '../store/package-arrangement.ts';
import type { BrokenConfiguration } from './broken-configurations.ts';
import { EntityPlanError } from './plan-entities.ts';

/** `broken`: stored configurations and rows that would not fit. */
export interface PackageRefusal {
  readonly kind: 'invalid' | 'conflict' | 'missing' | 'failed';
  readonly message: string;
  readonly broken?: readonly BrokenConfiguration[];
}

export class Refused extends Error {
  readonly refusal: PackageRefusal;

  constructor(refusal: PackageRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refuse(
  kind: PackageRefusal['kind'],
  message: string,
  broken?: readonly BrokenConfiguration[],
): Refused {
  return new Refused({ kind, message, ...(broken && { broken }) });
}

/** The refusal that an error stands for; undefined for one that is ours to explain. */
export function refusalOf(error: unknown): PackageRefusal | undefined {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof ArtefactError) return { kind: 'invalid', message: error.message };
  if (error instanceof EntityPlanError) return { kind: 'conflict', message: error.message };
  if (error instanceof ArrangementError) return { kind: 'conflict', message: error.message };
  return undefined;
}
