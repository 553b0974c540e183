/**
 * Where the API in Kubernetes' shape answers: a kubeconfig names it as its server. It has a path of its own, because Kubernetes'
 * core paths, `/api/v1/…`, are those of Skyrun's own API.
 */
export const KUBERNETES_API = { path: '/kubernetes', service: 'registry' } as const;

export const KNATIVE_GROUP = 'serving.knative.dev';
export const KNATIVE_VERSION = `${KNATIVE_GROUP}/v1`;
