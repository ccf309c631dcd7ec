/** Exports something that is no plugin. */
export default null;
