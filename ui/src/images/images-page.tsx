import { type Image, OPERATIONS } from '@skyrun/contracts';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Layers, Rocket, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { imagesQuery, keys } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { Button, buttonStyle } from '../components/button.tsx';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ListState } from '../components/list-state.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { bytesText } from '../format/quantity.ts';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';

function DeleteImage({ image, onClose }: { image: Image; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`Delete ${image.name}:${image.tag}?`}
      description="Only an image that no service uses can be deleted. It can be uploaded again."
      action="Delete image"
      onConfirm={async () => {
        await api.call(OPERATIONS.deleteImage, { params: { project: image.project, imageId: image.id } });
        toast(`${image.name}:${image.tag} was deleted.`);
        await queries.invalidateQueries({ queryKey: keys.images(image.project) });
      }}
      onClose={onClose}
    />
  );
}

export function ImagesPage() {
  const project = useProjectName();
  const list = useInfiniteQuery(imagesQuery(useApi(), project));
  const images = list.data?.pages.flatMap((page) => page.items);
  const may = useMay(project)('services.write');
  const [deleting, setDeleting] = useState<Image | null>(null);
  const deployLink = (
    <Link to="/projects/$project/deploy" params={{ project }} className={buttonStyle({ tone: 'solid' })}>
      <Rocket aria-hidden />
      Deploy
    </Link>
  );
  return (
    <Page
      title="Images"
      documentTitle={`Images – ${project}`}
      subtitle="What was uploaded to this project, by digest."
      actions={may && deployLink}
    >
      <Panel flush>
        <ListState
          list={list}
          items={images}
          rows={4}
          empty={
            <EmptyState
              icon={Layers}
              title="No image yet"
              command={`./skyrun deploy ./image.tar --project ${project}`}
              action={may && deployLink}
            >
              Deploying an archive uploads it first; it stays here for the next deploy.
            </EmptyState>
          }
        />
        {images !== undefined && images.length > 0 && (
          <Table label="Images" className="sm:min-w-176">
            <thead>
              <tr>
                <HeadCell>Image</HeadCell>
                <HeadCell className="hidden sm:table-cell">Digest</HeadCell>
                <HeadCell className="hidden text-right sm:table-cell">Size</HeadCell>
                <HeadCell className="hidden sm:table-cell">Platform</HeadCell>
                <HeadCell className="hidden sm:table-cell">Uploaded</HeadCell>
                <HeadCell>
                  <span className="sr-only">Actions</span>
                </HeadCell>
              </tr>
            </thead>
            <tbody className="[&>tr:last-child>td]:border-0">
              {images.map((image) => (
                <tr key={image.id}>
                  <Cell className="font-medium">
                    {image.name}
                    <span className="text-ink-3">:{image.tag}</span>
                    <span className="block text-xs font-normal text-ink-3 sm:hidden">
                      {bytesText(image.sizeBytes)}, <Ago time={image.createdAt} />
                    </span>
                  </Cell>
                  <Cell className="hidden sm:table-cell">
                    <span className="flex items-center gap-1">
                      <code className="font-mono text-xs text-ink-2">{image.digest.slice(7, 19)}</code>
                      <CopyButton
                        text={image.digest}
                        label={`Copy digest of ${image.name}:${image.tag}`}
                        className="size-7"
                      />
                    </span>
                  </Cell>
                  <Cell className="figures hidden text-right whitespace-nowrap sm:table-cell">
                    {bytesText(image.sizeBytes)}
                    <span className="block text-xs text-ink-3">{image.layers} layers</span>
                  </Cell>
                  <Cell className="hidden whitespace-nowrap text-ink-2 sm:table-cell">
                    {image.platform.os}/{image.platform.architecture}
                  </Cell>
                  <Cell className="hidden whitespace-nowrap text-ink-2 sm:table-cell">
                    <Ago time={image.createdAt} />
                  </Cell>
                  <Cell>
                    {may && (
                      <span className="flex justify-end gap-1">
                        <Link
                          to="/projects/$project/deploy"
                          params={{ project }}
                          search={{ image: image.id }}
                          className={buttonStyle({ tone: 'plain', size: 'sm' })}
                          aria-label={`Deploy ${image.name}:${image.tag}`}
                        >
                          Deploy
                        </Link>
                        <Button
                          tone="ghost"
                          size="icon"
                          aria-label={`Delete ${image.name}:${image.tag}`}
                          onClick={() => setDeleting(image)}
                        >
                          <Trash2 aria-hidden />
                        </Button>
                      </span>
                    )}
                  </Cell>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        <MoreButton list={list} label="Older images" />
      </Panel>
      {deleting !== null && <DeleteImage image={deleting} onClose={() => setDeleting(null)} />}
    </Page>
  );
}
