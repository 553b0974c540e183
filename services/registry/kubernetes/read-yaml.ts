import { isScalar, parseDocument, visit } from 'yaml';
import { badRequest, StatusError } from './status.ts';

/** Characters of a YAML body: many times what a service takes. Reading YAML costs a hundred times what reading JSON does. */
const MOST_CHARACTERS = 256 * 1024;

/**
 * One YAML document, without aliases. Keys that come twice are looked for here: the library compares each with each, which for
 * a megabyte of them takes minutes in which the process does nothing else.
 * @throws StatusError 400, 413; YAMLParseError, ReferenceError for an alias
 */
export function readYaml(text: string): unknown {
  if (text.length > MOST_CHARACTERS) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `the YAML is longer than ${MOST_CHARACTERS} characters; send it as JSON`,
    );
  }
  const document = parseDocument(text, { uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const name: unknown = isScalar(key) ? key.value : key;
        if (seen.has(name)) throw badRequest(`the body cannot be read: the key ${String(name)} is given twice`);
        seen.add(name);
      }
    },
  });
  return document.toJS({ maxAliasCount: 0 });
}
