/** `npm run pack`: both packages as they are published, in `dist/`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compile.ts';
import { stageGatewayPackage } from './gateway-package.ts';

const DIST = join(ROOT, 'dist');
const STAGE = join(DIST, 'tollgate');

mkdirSync(DIST, { recursive: true });
stageGatewayPackage(STAGE);
for (const folder of [STAGE, join(ROOT, 'sdk')]) {
  execFileSync('npm', ['pack', '--ignore-scripts=false', '--loglevel=error', '--pack-destination', DIST], {
    cwd: folder,
    stdio: 'inherit',
  });
}
rmSync(STAGE, { recursive: true });
