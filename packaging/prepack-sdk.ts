import { prepareSdkPackage } from './sdk-package.ts';

prepareSdkPackage();
