/** Allocates without end while it is loaded. */
const hoard: unknown[] = [];
for (;;) hoard.push(new Array(10_000).fill(hoard.length));

export default hoard;
