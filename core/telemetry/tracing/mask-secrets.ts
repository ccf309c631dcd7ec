/** Traces leave the node for people who may not know its keys: values of telling query arguments stay behind. Pure. */

/** As the semantic conventions of `url.query` ask for, and what keys are usually called. */
const SECRET_ARGUMENTS =
  /(^|[&;])((?:x-)?api[-_]?key|key|access_token|refresh_token|id_token|token|jwt|password|passwd|secret|client_secret|sig|signature|awsaccesskeyid|x-(?:amz|goog)-(?:signature|credential|security-token))=[^&;]*/gi;

export function maskSecrets(query: string): string {
  return query.replace(SECRET_ARGUMENTS, '$1$2=REDACTED');
}
