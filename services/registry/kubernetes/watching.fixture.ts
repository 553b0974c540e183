/** The events of a watch at `url`, from when the first is asked for. */
export async function* watched<Shown>(
  url: string,
  signal: AbortSignal,
): AsyncGenerator<{ type: string; object: Shown }> {
  const response = await fetch(url, { headers: { authorization: 'Bearer tester' }, signal });
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}
