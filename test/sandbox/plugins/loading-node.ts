/** Wants what only Node.js has. */
import { readFileSync } from 'node:fs';

export default readFileSync;
