import type { Image } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Layers } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { imagesQuery } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { Panel } from '../components/panel.tsx';
import { bytesText } from '../format/quantity.ts';

const SHOWN = 5;

/** Images that are here already: nothing to upload. */
export function ImageChoice({ project, onUse }: { project: string; onUse: (image: Image) => void }) {
  const { data } = useInfiniteQuery(imagesQuery(useApi(), project));
  const images = data?.pages.flatMap((page) => page.items).slice(0, SHOWN) ?? [];
  if (images.length === 0) return null;
  return (
    <Panel title="Or use an image that is here already" flush>
      <ul>
        {images.map((image) => (
          <li key={image.id} className="border-b border-line last:border-0">
            <button
              type="button"
              onClick={() => onUse(image)}
              className="flex w-full items-center gap-3 px-4 py-2.5 text-left transition-colors hover:bg-hover"
            >
              <Layers aria-hidden className="size-4 shrink-0 text-ink-3" />
              <span className="min-w-0 flex-1 truncate font-medium">
                {image.name}:{image.tag}
              </span>
              <span className="figures shrink-0 text-[0.8125rem] text-ink-3">{bytesText(image.sizeBytes)}</span>
              <Ago
                time={image.createdAt}
                className="hidden w-20 shrink-0 text-right text-[0.8125rem] text-ink-3 sm:block"
              />
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
