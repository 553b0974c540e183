import { digest, ENGINE_REFERENCE_HOST, imageName, imageTag, Problem } from '@skyrun/contracts';

/** How a template names its image. */
export type ImageChoice =
  | { readonly kind: 'tag'; readonly name: string; readonly tag: string }
  | { readonly kind: 'digest'; readonly name: string | null; readonly digest: string };

/** Reads `name`, `name:tag`, `name@sha256:…` or `sha256:…`; null for anything else. */
export function parseImageChoice(text: string): ImageChoice | null {
  if (digest.safeParse(text).success) return { kind: 'digest', name: null, digest: text };
  const at = text.indexOf('@');
  if (at !== -1) {
    const name = text.slice(0, at);
    const value = text.slice(at + 1);
    if (!imageName.safeParse(name).success || !digest.safeParse(value).success) return null;
    return { kind: 'digest', name, digest: value };
  }
  const { repository, tag } = splitTag(text);
  if (!imageName.safeParse(repository).success || !imageTag.safeParse(tag ?? 'latest').success) return null;
  return { kind: 'tag', name: repository, tag: tag ?? 'latest' };
}

export interface NameAndTag {
  readonly name: string;
  readonly tag: string;
}

/**
 * What to call an uploaded image: what the caller asks for, else what the archive says, without its registry.
 * @throws Problem `request.invalid` where neither gives a name
 */
export function chooseName(
  wanted: { name?: string | undefined; tag?: string | undefined },
  archiveNames: readonly string[],
): NameAndTag {
  const found = archiveNames.map(localName).find((name) => name !== null) ?? null;
  const name = wanted.name ?? found?.name;
  if (name === undefined) {
    const error = { field: '#query/name', message: 'the archive names no image; pass name=…' };
    throw new Problem('request.invalid', { detail: error.message, errors: [error] });
  }
  return { name, tag: wanted.tag ?? found?.tag ?? 'latest' };
}

/**
 * Refuses an archive that claims a name under which the engine holds another project's image.
 * @throws Problem `image.foreign_tag`
 */
export function refuseForeignNames(names: readonly string[], project: string): void {
  for (const name of names) {
    const [host, owner] = name.toLowerCase().split('/');
    if (host === ENGINE_REFERENCE_HOST && owner !== project) {
      throw new Problem('image.foreign_tag', {
        detail: `The archive carries the name ${JSON.stringify(name.slice(0, 200))}; names under ${ENGINE_REFERENCE_HOST}/ belong to their project`,
      });
    }
  }
}

/** `ghcr.io/acme/web:v1` → `acme/web`, `v1`; null where nothing usable is left. */
function localName(reference: string): NameAndTag | null {
  const { repository, tag = 'latest' } = splitTag(reference.split('@')[0] ?? '');
  const parts = repository.split('/');
  const [first = ''] = parts;
  const hasHost = parts.length > 1 && (first.includes('.') || first.includes(':') || first === 'localhost');
  let path = hasHost ? parts.slice(1) : parts;
  // Docker Hub's own images, and ours, whose first part is the project.
  if (hasHost && (path[0] === 'library' || first === ENGINE_REFERENCE_HOST)) path = path.slice(1);
  const name = path.join('/');
  return imageName.safeParse(name).success && imageTag.safeParse(tag).success ? { name, tag } : null;
}

function splitTag(reference: string): { repository: string; tag?: string } {
  const colon = reference.lastIndexOf(':');
  if (colon === -1 || reference.indexOf('/', colon) !== -1) return { repository: reference };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
