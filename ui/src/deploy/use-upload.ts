import type { Image, Problem, UploadProgress } from '@skyrun/contracts';
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { useApi } from '../api/context.ts';
import { toProblem } from '../api/problems.ts';
import { uploadImage } from '../api/upload.ts';

export type UploadState =
  | { readonly step: 'choose' }
  | { readonly step: 'uploading'; readonly file: File; readonly sent: number; readonly server: UploadProgress | null }
  | { readonly step: 'failed'; readonly file: File; readonly problem: Problem }
  | { readonly step: 'uploaded'; readonly image: Image };

type Change =
  | { readonly kind: 'start'; readonly file: File }
  | { readonly kind: 'sent'; readonly bytes: number }
  | { readonly kind: 'server'; readonly progress: UploadProgress }
  | { readonly kind: 'failed'; readonly file: File; readonly problem: Problem }
  | { readonly kind: 'uploaded'; readonly image: Image }
  | { readonly kind: 'reset' };

export function reduceUpload(state: UploadState, change: Change): UploadState {
  switch (change.kind) {
    case 'start':
      return { step: 'uploading', file: change.file, sent: 0, server: null };
    case 'sent':
      return state.step === 'uploading' ? { ...state, sent: Math.max(state.sent, change.bytes) } : state;
    case 'server':
      return state.step === 'uploading' ? { ...state, server: change.progress } : state;
    case 'failed':
      return state.step === 'uploading' ? { step: 'failed', file: change.file, problem: change.problem } : state;
    case 'uploaded':
      return { step: 'uploaded', image: change.image };
    case 'reset':
      return { step: 'choose' };
  }
}

/** Uploads one archive at a time; leaving the page or `cancel` ends it. */
export function useUpload(project: string) {
  const api = useApi();
  const [state, dispatch] = useReducer(reduceUpload, { step: 'choose' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = useCallback(
    (file: File, naming: { name?: string | undefined; tag?: string | undefined } = {}) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      dispatch({ kind: 'start', file });
      uploadImage(api, {
        project,
        file,
        ...naming,
        signal: controller.signal,
        onSent: (bytes) => dispatch({ kind: 'sent', bytes }),
        onProgress: (progress) => dispatch({ kind: 'server', progress }),
      }).then(
        (image) => dispatch({ kind: 'uploaded', image }),
        (error: unknown) => {
          if (!controller.signal.aborted) dispatch({ kind: 'failed', file, problem: toProblem(error) });
        },
      );
    },
    [api, project],
  );

  const reset = useCallback(() => {
    running.current?.abort();
    dispatch({ kind: 'reset' });
  }, []);
  const use = useCallback((image: Image) => dispatch({ kind: 'uploaded', image }), []);

  return { state, start, reset, use };
}
