import { ScrollRegion } from './scroll-region.tsx';

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** JSON with its strings, names and numbers told apart by colour. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, match.index));
    const [whole, string, colon] = match;
    const tone = colon !== undefined ? 'text-ink-2' : string !== undefined ? 'text-ok-ink' : 'text-accent-ink';
    parts.push(
      <span key={match.index} className={tone}>
        {whole}
      </span>,
    );
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return (
    <ScrollRegion label={label} className="max-h-96 overflow-auto rounded-lg bg-sunken p-3">
      <pre className="font-mono text-xs leading-5 text-ink-3">{parts}</pre>
    </ScrollRegion>
  );
}
