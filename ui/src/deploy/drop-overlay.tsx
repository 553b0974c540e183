import { PackageOpen } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

const carriesFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;

/** Makes the whole window a drop target while it is shown. */
export function DropOverlay({ onFile }: { onFile: (file: File) => void }) {
  const [over, setOver] = useState(false);
  const take = useRef(onFile);
  useEffect(() => {
    take.current = onFile;
  });
  useEffect(() => {
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (carriesFile(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) take.current(file);
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
    };
  }, []);
  if (!over) return null;
  return (
    <div className="pointer-events-none fixed inset-0 z-50 flex animate-fade items-center justify-center bg-canvas/80 p-6 backdrop-blur-sm">
      <div className="flex h-full w-full max-w-5xl flex-col items-center justify-center gap-3 rounded-3xl border-2 border-dashed border-accent bg-accent-soft/60">
        <PackageOpen aria-hidden className="size-10 text-accent-ink" />
        <p className="text-xl font-semibold tracking-tight">Drop to deploy</p>
        <p className="text-ink-2">A docker save or OCI archive, plain or gzipped</p>
      </div>
    </div>
  );
}
