/** JSON pointers into a Knative Service. */
export const TEMPLATE = '/spec/template';
export const SPEC = `${TEMPLATE}/spec`;
export const CONTAINER = `${SPEC}/containers/0`;
