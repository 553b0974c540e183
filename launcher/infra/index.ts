export { unprivilegedAccount } from './account.ts';
export { DOCKER_SOCKET, type DockerVersion, dockerVersion } from './docker.ts';
export { type ExitStatus, type GuardedProcess, startGuarded } from './guarded.ts';
export { freePort, portIsFree } from './port.ts';
export { type PostgresOptions, postgresUrl, preparePostgres } from './postgres.ts';
export { prepareRabbitmq, type RabbitmqOptions, rabbitmqUrl } from './rabbitmq.ts';
export { checkReady, type Readiness, type ReadyCheck, untilReady } from './readiness.ts';
export { prepareRedis, type RedisOptions, redisUrl } from './redis.ts';
export type { ServerProcess } from './server.ts';
