export type {
  Authenticator,
  Caller,
} from './auth/authenticator.ts';
export {
  type AuthorizedRequest,
  authorize,
} from './auth/authorize.ts';
export {
  createTokenAuthenticator,
  type TokenAuthenticatorOptions,
} from './auth/tokens.ts';
export {
  type BackoffOptions,
  backoff,
} from './backoff.ts';
export {
  type Clock,
  isoTime,
  ManualClock,
  offsetClock,
  systemClock,
} from './clock.ts';
export {
  type ConfigDefinition,
  ConfigError,
  type ConfigOf,
  type ConfigVariable,
  type ConfigVariables,
  commonConfig,
  configTypes,
  defineConfig,
  loadConfig,
} from './config.ts';
export {
  type Api,
  type Binding,
  type Call,
  createApi,
  emptyReply,
  fileReply,
  HANDLED,
  type Handler,
  type HandlerResult,
  Reply,
  reply,
} from './http/api.ts';
export {
  type Answer,
  type CallInput,
  type Client,
  type ClientOptions,
  createClient,
  lines,
  operationUrl,
} from './http/client.ts';
export {
  sendProblem,
  toProblem,
} from './http/problems.ts';
export {
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
} from './http/server.ts';
export { newId } from './id.ts';
export {
  createLogger,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  redactUrls,
  silentLogger,
} from './logger.ts';
export {
  createMetrics,
  type Metrics,
} from './metrics.ts';
export { exponential, type Random, seededRandom } from './random.ts';
export {
  type RunOptions,
  runService,
} from './run.ts';
export { createSeal, deriveKey, type Seal } from './seal.ts';
export type {
  ForeignApi,
  Readiness,
  ServiceModule,
} from './service.ts';
export {
  createTicker,
  type Ticker,
  type TickerOptions,
} from './ticker.ts';
export {
  currentTraceparent,
  inConsumerSpan,
  inServerSpan,
  inSpan,
  type PastSpan,
  recordSpan,
  traceHeaders,
} from './tracing.ts';
