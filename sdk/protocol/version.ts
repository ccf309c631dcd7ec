/** Version of the wire between host and guest. A bundle built for another version is refused at load. */
export const PROTOCOL_VERSION = 1;
