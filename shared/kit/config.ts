import { readFileSync } from 'node:fs';
import { z } from 'zod';

export interface ConfigVariable<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** One sentence for the configuration table in the docs. */
  readonly doc: string;
  /** As it would stand in the environment. Absent: the variable must be set. */
  readonly default?: string;
  /** Never printed; may be in a file that `NAME_FILE` names, so that it need not be in the environment. */
  readonly secret?: boolean;
}

export type ConfigVariables = Readonly<Record<string, ConfigVariable>>;

export interface ConfigDefinition<Variables extends ConfigVariables> {
  readonly owner: string;
  readonly variables: Variables;
}

export type ConfigOf<Definition> =
  Definition extends ConfigDefinition<infer Variables>
    ? { readonly [Name in keyof Variables]: z.infer<Variables[Name]['schema']> }
    : never;

/** Declares the variables that one package owns; the table in the docs is generated from all declarations. */
export function defineConfig<const Variables extends ConfigVariables>(
  owner: string,
  variables: Variables,
): ConfigDefinition<Variables> {
  return { owner, variables };
}

/** Thrown at start when the environment does not fit; names each variable, what was expected, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Complained of already. */
const UNREADABLE = Symbol('unreadable');

function secretOf(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
  complaints: string[],
): string | undefined | typeof UNREADABLE {
  const file = environment[`${name}_FILE`];
  if (file === undefined || file === '') return environment[name];
  if (environment[name]) {
    complaints.push(`${name}_FILE: ${name} is given too; leave one of them out`);
    return UNREADABLE;
  }
  try {
    // Whoever writes a file with an editor ends it with a new line.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    complaints.push(`${name}_FILE: ${error instanceof Error ? error.message : String(error)}`);
    return UNREADABLE;
  }
}

/** Reads a package's configuration once. The values are passed on as arguments from then on. */
export function loadConfig<Variables extends ConfigVariables>(
  definition: ConfigDefinition<Variables>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ConfigOf<ConfigDefinition<Variables>> {
  const values: Record<string, unknown> = {};
  const complaints: string[] = [];
  for (const [name, variable] of Object.entries(definition.variables)) {
    const given = variable.secret ? secretOf(name, environment, complaints) : environment[name];
    if (given === UNREADABLE) continue;
    const text = given === undefined || given === '' ? variable.default : given;
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else if (text === undefined) complaints.push(`${name} is not set: ${variable.doc}`);
    else complaints.push(`${name}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  if (complaints.length > 0) throw new ConfigError(`${definition.owner} cannot start:\n  ${complaints.join('\n  ')}`);
  return values as ConfigOf<ConfigDefinition<Variables>>;
}

/** Schemas for what the environment can say. */
export const configTypes = {
  text: z.string().min(1),
  optionalText: z.string().optional(),
  url: z.url(),
  port: z.coerce.number().int().min(0).max(65_535),
  integer: z.coerce.number().int(),
  flag: z.stringbool(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
} as const;

/** Variables that every process has. */
export const commonConfig = defineConfig('kit', {
  SKYRUN_LOG_LEVEL: { schema: configTypes.logLevel, default: 'info', doc: 'debug, info, warn, error or silent' },
  SKYRUN_LISTEN_HOST: {
    schema: configTypes.text,
    default: '127.0.0.1',
    doc: 'address that the process listens on',
  },
  SKYRUN_PORT: { schema: configTypes.port, default: '0', doc: 'port that the process listens on; 0 picks a free one' },
  SKYRUN_INTERNAL_TOKEN: {
    schema: z.string().min(32, 'at least 32 characters'),
    doc: 'shared secret of the platform’s own parts, for /internal calls',
    secret: true,
  },
  SKYRUN_IDENTITY_URL: {
    schema: configTypes.url,
    doc: 'address of the identity service, for keys and access look-ups',
  },
});
