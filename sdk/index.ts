/** The public door of the SDK. Everything a plugin may use is named here. */
export type { BackgroundKong, BatchKong, QueueWriter, Timer } from './background.ts';
export { decodeBase64, encodeBase64, isBase64 } from './base64.ts';
export type {
  BodyTransformer,
  BytesTransformer,
  TextTransformer,
  Transformation,
  Transformed,
} from './body-transform.ts';
export type { CacheOptions, ValueCache } from './cache.ts';
export type {
  ClientAddressReader,
  ClientAuthenticator,
  ClientReader,
  Consumer,
  Credential,
} from './client.ts';
export type { CounterReader, CounterStore, CounterWindow, TakeOptions } from './counters.ts';
export type { Cryptography, SignedText } from './crypto.ts';
export {
  defineEntity,
  type EntityDefinition,
  type EntityMigration,
  type InferEntity,
  type MigratedRow,
} from './define-entity.ts';
export { definePlugin, type PluginDefinition } from './define-plugin.ts';
export type { EntityReader } from './entities.ts';
export type { Fetch, FetchedResponse, FetchOptions } from './fetch.ts';
export type { HeaderMap, HeaderValue } from './header-value.ts';
export { actAsAnonymous, identifyClient } from './identity.ts';
export { compileIpSet, type IpSet } from './ip-set.ts';
export type {
  DeprecationOptions,
  Logger,
  RecordSerializer,
  SerializedRecord,
  SerializeValueOptions,
} from './log.ts';
export type { CounterSeries, HistogramSeries, MetricWriter } from './metrics.ts';
export type { NodeReader } from './node.ts';
export type { Exit, Outcome } from './outcome.ts';
export type {
  AccessKong,
  IpReader,
  LogKong,
  PluginReader,
  RequestContext,
  ResponseKong,
  RewriteKong,
  TransformRequestKong,
  TransformResponseKong,
} from './phases.ts';
export type { QueueSettings } from './protocol/background.ts';
export type { ClusterCounterStore, RedisCounterStore, RedisSettings } from './protocol/counter-store.ts';
export { type DigestAlgorithm, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './protocol/crypto.ts';
export type { Capabilities, MetricDeclaration, PhaseName, PluginScope } from './protocol/manifest.ts';
export type { LogFacts, ResponseSource } from './protocol/phase-call.ts';
export { API_LEVEL } from './protocol/version.ts';
export type {
  ArgumentValue,
  DecodedBody,
  RequestBodyReader,
  RequestReader,
  UriCaptureReader,
  UriCaptures,
} from './request.ts';
export type {
  ResponseExit,
  ResponseHeaders,
  ResponseHeaderWriter,
  ResponseReader,
  ServiceResponseHead,
  ServiceResponseReader,
} from './response.ts';
export type { MatchedRoute, MatchedService, RouterReader } from './router.ts';
export {
  compileTemplate,
  type InferConfig,
  s,
  splitEntry,
  type Template,
  type TemplateSource,
  type TemplateValues,
} from './schema/index.ts';
export type { ServiceTargetWriter } from './service.ts';
export type { ServiceRequestWriter } from './service-request.ts';
export type {
  ExportTarget,
  ExportTargets,
  TraceContext,
  TraceExporter,
  TraceJoin,
  TraceReader,
  TraceWriter,
} from './tracing.ts';
export { createUuid } from './uuid.ts';
export type { VaultReader, VaultReference } from './vault.ts';
