import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { buttonStyle } from './button.tsx';
import { classNames } from './class-names.ts';

/** The clipboard API exists in secure contexts only; Skyrun may be open over plain HTTP on a LAN address. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className={classNames(buttonStyle({ tone: 'ghost', size: 'icon' }), className)}
      aria-label={copied ? 'Copied' : label}
      title={label}
      onClick={() => void copyText(text).then(() => setCopied(true))}
    >
      {copied ? <Check aria-hidden className="text-ok-ink" /> : <Copy aria-hidden />}
    </button>
  );
}
