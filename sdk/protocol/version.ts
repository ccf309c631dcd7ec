/** Version of the wire between host and guest. A bundle built for another version is refused at load. */
export const PROTOCOL_VERSION = 1;

/**
 * What a plugin may rely on: raised, with the major version of the SDK, when a plugin written for the level before could
 * do something else or nothing at all. package.json declares the same under `tollgate.apiLevel`.
 */
export const API_LEVEL = 1;
