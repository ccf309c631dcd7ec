/** Loaded ahead of an author's tests: `@tollgate/sdk` is that of this gateway, whether or not one is installed. */
import { registerHooks } from 'node:module';
import { INSIDE_SDK } from './sdk-location.ts';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isSdk = specifier === '@tollgate/sdk' || specifier.startsWith('@tollgate/sdk/');
    return nextResolve(specifier, isSdk ? { ...context, parentURL: INSIDE_SDK } : context);
  },
});
