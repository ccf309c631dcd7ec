/** What the configuration needs to know of the plugins that are loaded; the plugin catalogue provides it. */
import type { RecordField } from '../../sdk/schema/fields.ts';

export interface PluginSchema {
  /** The name answers show; differs from the one asked for when that is an alias. */
  readonly name: string;
  /** Made with `s.config(…)`. */
  readonly configSchema: RecordField;
  /** Protocols an instance may be given. Default: grpc, grpcs, http, https. */
  readonly protocols?: readonly string[];
  /** Those it gets without a word. Default: those of HTTP among `protocols`. */
  readonly defaultProtocols?: readonly string[];
  /** Scopes the plugin refuses. */
  readonly scopes?: { readonly service?: false; readonly route?: false; readonly consumer?: false };
}

/** May change while the gateway runs; asked anew for each plugin entity. */
export interface PluginSchemas {
  get(name: string): PluginSchema | undefined;
  names(): readonly string[];
}
