import { digest, Problem } from '@skyrun/contracts';
import { z } from 'zod';
import { parseDocument } from './archive-reader.ts';

const list = z.array(z.string()).nullish();

/** The part of an OCI image configuration that we rely on; the engine gets the original bytes. */
const imageConfig = z.looseObject({
  architecture: z.string().min(1),
  os: z.string().min(1),
  config: z
    .looseObject({
      User: z.string().nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Env: list,
      Entrypoint: list,
      Cmd: list,
      WorkingDir: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z.array(z.looseObject({ empty_layer: z.boolean().optional() })).nullish(),
});

export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly diffIds: readonly string[];
  readonly user: string;
  readonly exposedPorts: readonly number[];
}

/** @throws Problem `image.config_invalid` */
export function parseImageConfig(bytes: Buffer, layers: number): ImageConfig {
  const parsed = parseDocument(bytes, imageConfig, 'image configuration', 'image.config_invalid');
  const { architecture, os, config, rootfs, history } = parsed;
  const diffIds = rootfs.diff_ids;
  if (diffIds.length !== layers)
    throw invalid(`rootfs.diff_ids names ${diffIds.length} layers, the manifest ${layers}`);
  const filled = (history ?? []).filter((entry) => entry.empty_layer !== true).length;
  if (filled > 0 && filled !== layers) throw invalid(`history names ${filled} layers, the manifest ${layers}`);
  return {
    os,
    architecture,
    diffIds,
    user: config?.User ?? '',
    exposedPorts: tcpPorts(Object.keys(config?.ExposedPorts ?? {})),
  };
}

function tcpPorts(names: readonly string[]): number[] {
  const ports = names.flatMap((name) => {
    const match = /^([0-9]{1,5})(\/tcp)?$/.exec(name);
    const port = Number(match?.[1]);
    return match && port >= 1 && port <= 65_535 ? [port] : [];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

function invalid(reason: string): Problem {
  return new Problem('image.config_invalid', { detail: `image configuration: ${reason}` });
}
