/**
 * How a test learns that a plugin has failed, or was given what it does not take. Errors are told apart by name: those that
 * are thrown are made by the gateway, which may have a copy of this module of its own.
 */

/** The configuration breaks the plugin's schema; the message is the one of the Admin API. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** Texts by field, as the Admin API answers them. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, fields: Readonly<Record<string, unknown>>) {
    super(message);
    this.fields = fields;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ConfigurationError';
  }
}

/**
 * A handler threw (`error`), or the sandbox stopped it. In a gateway the client gets 500 for the access phase; of later
 * phases only the log tells. The stack is that of the plugin, with its author's files and lines.
 */
export class PluginFailure extends Error {
  override readonly name = 'PluginFailure';
  /** `load`: the module itself, before any request. Others are named like their members of the definition. */
  readonly phase:
    | 'load'
    | 'rewrite'
    | 'access'
    | 'transformRequest'
    | 'response'
    | 'transformResponse'
    | 'log'
    | 'timers'
    | 'configure';
  readonly reason: 'error' | 'timeout' | 'memory' | 'deadline' | 'protocol' | 'crash' | 'unavailable';

  constructor(
    phase: PluginFailure['phase'],
    reason: PluginFailure['reason'],
    message: string,
    stack?: string,
  ) {
    super(message);
    this.phase = phase;
    this.reason = reason;
    if (stack !== undefined) this.stack = stack;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'PluginFailure';
  }
}
