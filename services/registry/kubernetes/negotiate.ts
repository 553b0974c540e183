/** The form in which a client wants an answer, from its `Accept`. */
export interface Form {
  readonly as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'APIGroupDiscoveryList' | null;
  /** Of the form's own API group. */
  readonly version: string;
}

const PLAIN: Form = { as: null, version: 'v1' };
const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList', 'APIGroupDiscoveryList'] as const;

/**
 * The first of the wanted media types that we can give: JSON, in one of Kubernetes' forms (`;as=Table;v=v1;g=meta.k8s.io`)
 * or plainly. Null where none is JSON, such as when only protobuf will do.
 */
export function formOf(accept: string | undefined): Form | null {
  if (accept === undefined || accept.trim() === '') return PLAIN;
  for (const part of accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const given = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string | undefined]));
    const wanted = given.get('as');
    if (wanted === undefined) return PLAIN;
    const as = FORMS.find((form) => form === wanted);
    if (as !== undefined) return { as, version: given.get('v') ?? 'v1' };
  }
  return null;
}
