import { z } from 'zod';

/** Labels and annotations as Kubernetes allows them: `[prefix/]name`, 63 characters after the slash. */
const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Bytes of all annotations of one object. */
const ANNOTATIONS_LIMIT = 262_144;

const key = z.string().regex(KEY, 'expected a name such as team or example.com/team');

export const labels = z.record(
  key,
  z
    .string('expected a string; put the value in quotes')
    .regex(VALUE, 'expected at most 63 letters, digits, -, _ and .'),
);

export const annotations = z
  .record(key, z.string('expected a string; put the value in quotes'))
  .refine(
    (all) =>
      Object.entries(all).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= ANNOTATIONS_LIMIT,
    `expected at most ${ANNOTATIONS_LIMIT} bytes in all`,
  );
