/**
 * Fills `{name}` in an operation's path and appends the query. Absent (`undefined`) query values are left out.
 * Throws a TypeError on a path parameter that is missing: that is a mistake in the page, not in its input.
 */
export function buildPath(template: string, params?: unknown, query?: unknown): string {
  const values = new Map(entriesOf(params));
  const path = template.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const value = values.get(name);
    if (value === undefined || value === '') throw new TypeError(`${template} needs the parameter ${name}`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of entriesOf(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

function entriesOf(record: unknown): [string, unknown][] {
  return typeof record === 'object' && record !== null ? Object.entries(record) : [];
}
