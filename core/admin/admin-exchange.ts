/**
 * What one Admin API call looks like between the transport and the endpoints: a decoded request in, an answer
 * out. Knows nothing of Fastify or of entities.
 */
import type { Arguments } from './parse-arguments.ts';

export type AdminMethod = 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT';

/** Body members of a POST, PUT or PATCH; empty for other methods. */
export interface RequestInput {
  readonly members: Readonly<Record<string, unknown>>;
  /** Forms carry text only and are coerced by the schema; JSON values are taken as they are. */
  readonly isForm: boolean;
}

export interface AdminRequest {
  readonly method: AdminMethod;
  /** Percent-decoded captured path segments, in the order of the template. */
  readonly captures: readonly string[];
  /** The same segments as they came. */
  readonly rawCaptures: readonly string[];
  readonly query: Arguments;
  readonly input: RequestInput;
}

export interface AdminAnswer {
  readonly status: number;
  /** Absent: an empty body. */
  readonly content?: { readonly type: string; readonly text: string };
}

export type AdminHandler = (request: AdminRequest) => Promise<AdminAnswer> | AdminAnswer;

/** One path template and what it answers. HEAD follows GET and OPTIONS is the transport's. */
export interface Endpoint {
  /** `/services/{services}/routes`; segments in braces capture. */
  readonly template: string;
  readonly methods: Readonly<Partial<Record<AdminMethod, AdminHandler>>>;
  /** Answers 404 to everything, OPTIONS included, yet is listed by `/endpoints`. */
  readonly isDisabled?: boolean;
  readonly acceptsYaml?: boolean;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** An answer with a JSON body. */
export function answerJson(status: number, body: unknown): AdminAnswer {
  return { status, content: { type: JSON_TYPE, text: JSON.stringify(body) } };
}

/** An answer of the shape `{"message": …}`, as all plain conditions have it. */
export function answerMessage(status: number, message: string): AdminAnswer {
  return answerJson(status, { message });
}

export function answerText(status: number, type: string, text: string): AdminAnswer {
  return { status, content: { type, text } };
}

export const NO_CONTENT: AdminAnswer = { status: 204 };
