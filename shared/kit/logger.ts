import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Fields that never reach a log, wherever they stand in the first two levels. */
const SECRET_FIELDS = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'authorization',
  'cookie',
  'privateKey',
  'internalToken',
  'apiKey',
  'databaseUrl',
  'redisUrl',
  'rabbitmqUrl',
];

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel;
  readonly destination?: DestinationStream;
}

/** One JSON object a line, on standard output unless told otherwise; credentials inside URLs are cut out too. */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date(Date.now()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `headers["${field}"]`, `*.headers["${field}"]`]),
      censor: '[redacted]',
    },
    serializers: { error: describeError, err: describeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

export const silentLogger: Logger = pino({ level: 'silent' });

const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/:@]*:[^\s/@]*@/gi;

export function redactUrls(text: string): string {
  return text.replace(URL_CREDENTIALS, '$1[redacted]@');
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactUrls(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return {
    name: error.name,
    message: redactUrls(error.message),
    ...code,
    ...(error.stack ? { stack: redactUrls(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
