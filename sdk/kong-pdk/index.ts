/** The door for plugins that come from Kong's JavaScript kit. */
export type { KitSchema } from './convert-schema.ts';
export { fromKongPdk, type KitModule, type PortingOptions } from './from-kong-pdk.ts';
export type { KitKong, KitKong as default } from './kit-types.ts';
