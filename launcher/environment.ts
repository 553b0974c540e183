/**
 * The operator's own SKYRUN_* and OTEL_* variables, handed on to every process that is started.
 * Packages read theirs through kit's config; the launcher does not know which there are, so it passes on what is set.
 */
export function operatorEnvironment(
  // biome-ignore lint/style/noProcessEnv: handed on unread; what a variable means is declared where it is read
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && value !== '' && /^(SKYRUN_|OTEL_)/.test(name) ? [[name, value]] : [],
    ),
  );
}
