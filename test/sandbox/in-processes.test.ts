/** What holds of packages in the worker holds of those in a process of their own: the same cases once more. */
import { useIsolation } from './support/start-lane.ts';

useIsolation('process');

await import('./breaking-out.test.ts');
await import('./counting.test.ts');
await import('./crypto.test.ts');
await import('./fetching.test.ts');
await import('./hoarding.test.ts');
await import('./keeping.test.ts');
await import('./looping.test.ts');
await import('./misbehaving.test.ts');
await import('./tracing.test.ts');
await import('./uri-captures.test.ts');
await import('./working.test.ts');
