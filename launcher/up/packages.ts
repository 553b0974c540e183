import { existsSync } from 'node:fs';

/** What a machine must have; which package of Debian brings it, and how to see that it is there. */
export interface Requirement {
  readonly package: string;
  /** Any of these files. */
  readonly files: readonly string[];
}

const inPath = (name: string): string[] =>
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((folder) => `${folder}/${name}`);

/** Whether the machine has a program, wherever Debian puts programs. */
export const hasProgram = (name: string): boolean => inPath(name).some((file) => existsSync(file));

const REDIS: Requirement = { package: 'redis-server', files: inPath('redis-server') };
const DOCKER: readonly Requirement[] = [
  { package: 'docker.io', files: inPath('dockerd') },
  { package: 'iptables', files: inPath('iptables') },
];
const RABBITMQ: Requirement = { package: 'rabbitmq-server', files: ['/usr/lib/rabbitmq/bin/rabbitmq-server'] };
/** For a network of its own that a test's engine gets. */
const IPROUTE: Requirement = { package: 'iproute2', files: inPath('ip') };
/** An ACME authority to test against. */
const PEBBLE: Requirement = { package: 'pebble', files: inPath('pebble') };
/** A Kubernetes client to test against. */
const KUBECTL: Requirement = { package: 'kubernetes-client', files: inPath('kubectl') };
const CHROMIUM: Requirement = { package: 'chromium', files: inPath('chromium') };

export interface Need {
  /** An engine answers already, so none has to be installed. */
  readonly engineAnswers: boolean;
  readonly distributed: boolean;
  readonly tests: boolean;
}

export function requirements(need: Need): Requirement[] {
  return [
    REDIS,
    ...(need.engineAnswers ? [] : DOCKER),
    ...(need.distributed || need.tests ? [RABBITMQ] : []),
    ...(need.tests ? [CHROMIUM, IPROUTE, PEBBLE, KUBECTL] : []),
  ];
}

export function missingPackages(needed: readonly Requirement[], exists: (file: string) => boolean): string[] {
  return needed.filter((requirement) => !requirement.files.some(exists)).map((requirement) => requirement.package);
}

/** The command that a person without our rights is asked to run. */
export function installCommand(packages: readonly string[], root: boolean): string {
  const sudo = root ? '' : 'sudo ';
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}
