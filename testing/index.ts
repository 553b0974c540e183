export { temporaryDirectory } from './directory.ts';
export { startDns, type TestDns } from './dns.ts';
export { startPostgres, type TestDatabase, type TestPostgres } from './postgres.ts';
export { dockerSocket, testDatabase, testRabbitUrl, testRedisUrl } from './provided.ts';
export { startRabbitmq, type TestRabbitmq } from './rabbitmq.ts';
export { startRedis, type TestRedis } from './redis.ts';
export { problemOf, type Served, serve, tokensOf, until } from './serve.ts';
export type { TestServer } from './server.ts';
