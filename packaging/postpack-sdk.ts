import { restoreSdkCheckout } from './sdk-package.ts';

restoreSdkCheckout();
