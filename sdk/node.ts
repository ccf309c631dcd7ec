/** `kong.node`: the gateway process that runs the plugin. */

/** Phases: all. */
export interface NodeReader {
  /** UUID, as in `node_id` of the Admin API. */
  getId(): string;
  /** Name of the machine. */
  getHostname(): string;
  /** Of the process that serves traffic. */
  getPid(): number;
  /** IP address it listens on, or one of the machine's where it listens on all. */
  getAddress(): string;
}
