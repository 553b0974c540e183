import { DOCKER_SOCKET, dockerVersion } from '@skyrun/launcher/infra';
import { inject } from 'vitest';
import { createDatabase, type TestDatabase } from './postgres.ts';
import { sharedUrl } from './shared.ts';
import './global-setup.ts';

/** An empty database on the run's shared PostgreSQL; drop it in afterAll. */
export async function testDatabase(name = 'test'): Promise<TestDatabase> {
  return createDatabase(await sharedUrl(inject('sharedServers'), 'postgres'), name);
}

/** The run's shared Redis: prefix your keys, and never FLUSHALL. */
export function testRedisUrl(): Promise<string> {
  return sharedUrl(inject('sharedServers'), 'redis');
}

/** The run's shared RabbitMQ: name exchanges and queues uniquely. The first request takes a few seconds. */
export function testRabbitUrl(): Promise<string> {
  return sharedUrl(inject('sharedServers'), 'rabbitmq');
}

/**
 * The Docker Engine's socket. The engine is the machine's: label what you create, and remove it by id.
 * @throws Error when no engine answers
 */
export async function dockerSocket(): Promise<string> {
  const answer = await dockerVersion(DOCKER_SOCKET);
  if ('error' in answer) throw new Error(`no Docker Engine answers on ${DOCKER_SOCKET}: ${answer.error}`);
  return DOCKER_SOCKET;
}
