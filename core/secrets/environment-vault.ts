/** Secrets from environment variables. Source: the `env` vault of Kong. */
import type { SecretReference } from '../../sdk/schema/secret-reference.ts';

export type ReadSecret = (reference: SecretReference) => string;

/**
 * `{vault://env/my-key}` is the variable `MY_KEY`; with a member behind it the variable holds a JSON object. The returned
 * function throws Error, which names the variable and never what it holds.
 */
export function createEnvironmentVault(
  environment: Readonly<Record<string, string | undefined>>,
): ReadSecret {
  return ({ vault, name, key }) => {
    if (vault !== 'env') throw new Error(`there is no vault '${vault}'`);
    const variable = name.toUpperCase().replaceAll('-', '_');
    const value = environment[variable];
    if (value === undefined || value === '')
      throw new Error(`the environment variable ${variable} is not set`);
    return key === undefined ? value : readMember(value, variable, key);
  };
}

function readMember(json: string, variable: string, key: string): string {
  let members: unknown;
  try {
    members = JSON.parse(json);
  } catch {
    throw new Error(`the environment variable ${variable} holds no JSON`);
  }
  const member = typeof members === 'object' && members !== null && Object.hasOwn(members, key);
  const value = member ? (members as Readonly<Record<string, unknown>>)[key] : undefined;
  if (typeof value !== 'string') throw new Error(`the environment variable ${variable} has no text '${key}'`);
  return value;
}
