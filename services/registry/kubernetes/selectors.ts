import { badRequest } from './status.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelMatch = (labels: Labels) => boolean;

/**
 * Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, `a`, `!a`, joined by commas.
 * @throws StatusError 400
 */
export function labelSelector(text: string): LabelMatch {
  const tests = splitTerms(text).map(labelTest);
  return (labels) => tests.every((test) => test(labels));
}

/** Commas within parentheses belong to a set. */
function splitTerms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

const KEY = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const EQUALS = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);

function labelTest(term: string): LabelMatch {
  const [, key = '', operator, value = ''] = EQUALS.exec(term) ?? [];
  if (operator !== undefined) {
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const [, setKey = '', kind, list = ''] = SET.exec(term) ?? [];
  if (kind !== undefined) {
    const values = new Set(list.split(',').map((item) => item.trim()));
    const within: LabelMatch = (labels) => setKey in labels && values.has(labels[setKey] ?? '');
    return kind === 'in' ? within : (labels) => !within(labels);
  }
  const [, not, existing] = EXISTS.exec(term) ?? [];
  if (existing === undefined) throw badRequest(`unable to parse requirement of the label selector: ${term}`);
  return not === '!' ? (labels) => !(existing in labels) : (labels) => existing in labels;
}

export interface FieldSelection {
  readonly name?: string;
  readonly namespace?: string;
  readonly notNames: readonly string[];
  readonly notNamespaces: readonly string[];
}

/** Reads a field selector over `metadata.name` and `metadata.namespace`. @throws StatusError 400 */
export function fieldSelector(text: string): FieldSelection {
  let selection: FieldSelection = { notNames: [], notNamespaces: [] };
  for (const term of splitTerms(text)) {
    const [, field = '', operator = '', value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
    if (field === 'metadata.name') {
      selection =
        operator === '!=' ? { ...selection, notNames: [...selection.notNames, value] } : { ...selection, name: value };
    } else if (field === 'metadata.namespace') {
      selection =
        operator === '!='
          ? { ...selection, notNamespaces: [...selection.notNamespaces, value] }
          : { ...selection, namespace: value };
    } else throw badRequest(`field label not supported: ${field === '' ? term : field}`);
  }
  return selection;
}

export function matchesFields(selection: FieldSelection, object: { project: string; name: string }): boolean {
  if (selection.name !== undefined && selection.name !== object.name) return false;
  if (selection.namespace !== undefined && selection.namespace !== object.project) return false;
  return !selection.notNames.includes(object.name) && !selection.notNamespaces.includes(object.project);
}
