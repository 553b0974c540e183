import { Problem } from '@skyrun/contracts';
import { lockImageByDigest, lockImageByTag, tagsOf } from '../store/images.ts';
import type { ImageRow, Store } from '../store/tables.ts';
import { type ImageChoice, parseImageChoice } from './image-name.ts';

const FIELD = '/spec/template/image';

/**
 * The image that a template means, now. It cannot be deleted before the transaction ends.
 * @throws Problem `request.invalid`, `resource.not_found`
 */
export async function pinImage(store: Store, project: string, text: string): Promise<ImageRow> {
  const choice = parseImageChoice(text);
  if (choice === null) {
    const error = { field: FIELD, message: 'expected an image of this project: name, name:tag or sha256:…' };
    throw new Problem('request.invalid', { detail: `${FIELD}: ${error.message}`, errors: [error] });
  }
  const row =
    choice.kind === 'tag'
      ? await lockImageByTag(store, project, choice.name, choice.tag)
      : await lockImageByDigest(store, project, choice.digest, choice.name);
  if (row !== undefined) return row;
  const message = `${await whyNot(store, project, choice)} Upload it first.`;
  throw new Problem('resource.not_found', { detail: message, errors: [{ field: FIELD, message }] });
}

async function whyNot(store: Store, project: string, choice: ImageChoice): Promise<string> {
  if (choice.kind === 'digest') return `Project ${project} has no image ${choice.digest}.`;
  const tags = await tagsOf(store, project, choice.name);
  const known = tags.length === 0 ? '' : ` It has the tags ${tags.join(', ')}.`;
  return `Project ${project} has no image ${choice.name}:${choice.tag}.${known}`;
}
