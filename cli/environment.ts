/** What the command line takes from the machine and its environment. */
export interface CliEnvironment {
  readonly homeDir: string;
  readonly sessionFile: string | undefined;
  readonly password: string | undefined;
  readonly project: string | undefined;
  readonly dockerSocket: string;
}
