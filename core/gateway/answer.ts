/** An answer the gateway gives itself: its own errors and what plugins answer. Pure. */
import type { ResponseSource } from '../../sdk/protocol/phase-call.ts';
import type { GatewayError } from '../errors.ts';
import type { PhaseOutcome } from '../pipeline/phase-outcome.ts';
import { renderError } from './error-body.ts';
import { describeToGrpc } from './grpc-answer.ts';
import type { Negotiation } from './negotiation.ts';

export interface Answer {
  readonly status: number;
  /** Flat. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
  readonly source: ResponseSource;
  /** Nothing more is to be read from this client. */
  readonly closesConnection?: boolean;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const UNEXPECTED = '{"message":"An unexpected error occurred"}';

/** Of an error of the catalogue. `headers` come on top of the content type. */
export function answerError(
  error: GatewayError,
  negotiation: Negotiation,
  headers: readonly string[] = [],
): Answer {
  const rendered = renderError({
    ...negotiation,
    status: error.status,
    message: error.message,
    class: error.class,
  });
  return {
    status: error.status,
    headers: [...rendered.headers, ...headers],
    body: rendered.body,
    source: 'error',
  };
}

/** A plugin that fails answers in one fixed form, whatever the client accepts: contract/proxy.md section 6.1. */
export function answerPluginFailure(): Answer {
  return { status: 500, headers: ['Content-Type', JSON_TYPE], body: UNEXPECTED, source: 'error' };
}

/** Of a plugin that has answered. Its headers are among the outcome's response operations. */
export function answerExit(outcome: PhaseOutcome, negotiation: Negotiation): Answer {
  const { status, bodyKind, body } = outcome;
  if (negotiation.isGrpc && bodyKind !== 'error') {
    return { status, headers: describeToGrpc(status, messageOf(outcome)), body: '', source: 'exit' };
  }
  switch (bodyKind) {
    case 'error': {
      const rendered = renderError({ ...negotiation, status, message: body, class: 'A' });
      return { status, headers: rendered.headers, body: rendered.body, source: 'exit' };
    }
    case 'json':
      return { status, headers: ['Content-Type', JSON_TYPE], body, source: 'exit' };
    default:
      return { status, headers: [], body, source: 'exit' };
  }
}

/** What a plugin's body says in words: that of an object is its message. */
function messageOf({ bodyKind, body }: PhaseOutcome): string {
  if (bodyKind !== 'json') return body;
  try {
    const { message } = Object(JSON.parse(body)) as { readonly message?: unknown };
    return typeof message === 'string' ? message : body;
  } catch {
    // Plugins are not trusted to mean what they say.
    return body;
  }
}
