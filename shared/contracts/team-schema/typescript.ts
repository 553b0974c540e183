import { type DataSchema, typesOf } from './schema.ts';

/** Events to write types of. */
export interface TypedSchema {
  readonly type: string;
  readonly summary: string;
  readonly schema: DataSchema;
}

/**
 * A TypeScript module that tells `@skyrun/client` what the data of a team's events is: with it beside the code, `on` and
 * `publish` are typed by the event's name.
 */
export function typeScriptOf(schemas: readonly TypedSchema[]): string {
  const members = schemas.map(({ type, summary, schema }) => {
    const comment = summary === '' ? '' : `    /** ${summary.replaceAll('*/', '* /')} */\n`;
    return `${comment}    ${JSON.stringify(type)}: ${typeText(schema, 2)};`;
  });
  return `// Written by \`skyrun events schema types\`; do not edit.
import type {} from '@skyrun/client';

declare module '@skyrun/client' {
  interface TeamEvents {
${members.join('\n')}
  }
}
`;
}

function typeText(schema: DataSchema, depth: number): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  return typesOf(schema)
    .map((type) => {
      switch (type) {
        case 'integer':
          return 'number';
        case 'array':
          return `readonly (${schema.items ? typeText(schema.items, depth) : 'unknown'})[]`;
        case 'object':
          return objectText(schema, depth);
        default:
          return type;
      }
    })
    .filter((text, index, all) => all.indexOf(text) === index)
    .join(' | ');
}

function objectText({ properties = {}, required = [], additionalProperties }: DataSchema, depth: number): string {
  const names = Object.keys(properties);
  if (names.length === 0) return additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>';
  const pad = '  '.repeat(depth + 1);
  const lines = Object.entries(properties).map(([name, child]) => {
    const comment =
      child.description === undefined ? '' : `${pad}/** ${child.description.replaceAll('*/', '* /')} */\n`;
    const mark = required.includes(name) ? '' : '?';
    return `${comment}${pad}readonly ${JSON.stringify(name)}${mark}: ${typeText(child, depth + 1)};`;
  });
  if (additionalProperties !== false) lines.push(`${pad}readonly [name: string]: unknown;`);
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}
