import type { Service } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useApi } from '../api/context.ts';
import { imageQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { Command } from '../components/command.tsx';
import { TextField } from '../components/field.tsx';
import { Page } from '../components/page.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useProjectName } from '../shell/place.ts';
import { Configure } from './configure.tsx';
import { DropOverlay } from './drop-overlay.tsx';
import { DropZone } from './drop-zone.tsx';
import { Follow } from './follow.tsx';
import { ImageChoice } from './image-choice.tsx';
import { usePendingArchive } from './pending-archive.ts';
import { UploadPanel } from './upload-panel.tsx';
import { useUpload } from './use-upload.ts';

const MAKE_ARCHIVE = 'docker save my-image:latest -o image.tar';

export function DeployPage() {
  const project = useProjectName();
  const { image: imageId } = useSearch({ strict: false });
  const pending = usePendingArchive();
  const { state, start, reset, use } = useUpload(project);
  const [deployed, setDeployed] = useState<Service | null>(null);
  const [name, setName] = useState('');
  const [tag, setTag] = useState('');
  const chosen = useQuery({ ...imageQuery(useApi(), project, imageId ?? ''), enabled: imageId !== undefined });

  const naming = { name: name === '' ? undefined : name, tag: tag === '' ? undefined : tag };
  const upload = (file: File) => start(file, naming);

  useEffect(() => {
    const file = pending.take();
    if (file !== null) start(file);
  }, [pending, start]);
  useEffect(() => {
    if (chosen.data !== undefined) use(chosen.data);
  }, [chosen.data, use]);

  const choosing = state.step === 'choose' || state.step === 'failed';
  return (
    <Page
      title={deployed === null ? 'Deploy' : `Deploy ${deployed.name}`}
      documentTitle={`Deploy – ${project}`}
      subtitle="An image becomes a service with a URL."
      above={
        <Link
          to="/projects/$project/services"
          params={{ project }}
          className="mb-1 inline-flex items-center gap-1 text-[0.8125rem] text-ink-3 hover:text-ink"
        >
          <ArrowLeft aria-hidden className="size-3.5" />
          Services
        </Link>
      }
    >
      <div className="flex max-w-3xl flex-col gap-5">
        {deployed !== null && <Follow project={project} name={deployed.name} generation={deployed.generation} />}
        {deployed === null && choosing && (
          <>
            <DropOverlay onFile={upload} />
            {chosen.error !== null && <ProblemNotice error={chosen.error} />}
            {state.step === 'failed' && (
              <div className="flex flex-col gap-3">
                <ProblemNotice error={state.problem} />
                <div className="flex flex-wrap items-center gap-3">
                  <Button onClick={() => upload(state.file)}>Upload {state.file.name} again</Button>
                  {state.problem.code === 'image.not_an_archive' && <Command>{MAKE_ARCHIVE}</Command>}
                </div>
              </div>
            )}
            <DropZone onFile={upload} />
            <details className="group rounded-xl border border-line bg-surface px-4 py-3">
              <summary className="font-medium text-ink-2">Name the image yourself</summary>
              <div className="mt-4 grid gap-4 sm:grid-cols-2">
                <TextField
                  label="Image name"
                  hint="Default: the name in the archive."
                  value={name}
                  placeholder="web"
                  onChange={(event) => setName(event.target.value)}
                />
                <TextField
                  label="Image tag"
                  hint="Default: the tag in the archive, or latest."
                  value={tag}
                  placeholder="latest"
                  onChange={(event) => setTag(event.target.value)}
                />
              </div>
            </details>
            <ImageChoice project={project} onUse={use} />
            <div className="flex flex-wrap items-center gap-3 text-ink-2">
              No archive yet? Make one:
              <Command>{MAKE_ARCHIVE}</Command>
            </div>
          </>
        )}
        {deployed === null && state.step === 'uploading' && (
          <UploadPanel file={state.file} sent={state.sent} server={state.server} onCancel={reset} />
        )}
        {deployed === null && state.step === 'uploaded' && (
          <Configure
            key={state.image.id}
            project={project}
            image={state.image}
            onBack={reset}
            onDeployed={setDeployed}
          />
        )}
      </div>
    </Page>
  );
}
