import { PROBLEMS, Problem, type ProblemCode } from '@skyrun/contracts';

/** An answer of the gateway's own, ready to be written. */
export interface OwnAnswer {
  readonly status: number;
  /** Fields, each with CR LF; without Content-Length, Connection and X-Request-Id. */
  readonly fields: string;
  readonly body: Buffer;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const COMMON = 'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n';

/** What strangers are told of a project without money; the owner sees the figures on the billing page. */
export const pausedProblem = {
  detail:
    'Its project has reached its spending limit. It answers again when the limit is raised or the next month begins.',
  retryAfterSeconds: 60,
};

/** A problem as problem+json, or as a small page where a person looks at it in a browser. */
export function problemAnswer(
  code: ProblemCode,
  options: { detail?: string; retryAfterSeconds?: number; html?: boolean; requestId?: string } = {},
): OwnAnswer {
  const { detail, retryAfterSeconds, html = false, requestId = '' } = options;
  const problem = new Problem(code, detail === undefined ? {} : { detail });
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  const status = PROBLEMS[code].status;
  if (html) {
    const fields =
      `Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'; ` +
      `style-src 'unsafe-inline'\r\n${COMMON}${retry}`;
    return { status, fields, body: Buffer.from(page(problem, requestId)) };
  }
  return {
    status,
    fields: `Content-Type: application/problem+json\r\n${COMMON}${retry}`,
    body: Buffer.from(`${JSON.stringify({ ...problem.toDetails(), ...(requestId ? { instance: requestId } : {}) })}\n`),
  };
}

export function textAnswer(status: number, text: string, extraFields = ''): OwnAnswer {
  return {
    status,
    fields: `Content-Type: text/plain; charset=utf-8\r\n${COMMON}${extraFields}`,
    body: Buffer.from(text),
  };
}

/** The head of an own answer. A 204 and a 304 have no length of their own. */
export function answerHead(answer: OwnAnswer, options: { date: string; requestId: string; close: boolean }): string {
  const length = answer.status === 304 || answer.status === 204 ? '' : `Content-Length: ${answer.body.length}\r\n`;
  const id = options.requestId === '' ? '' : `X-Request-Id: ${options.requestId}\r\n`;
  const reason = REASONS[answer.status] ?? 'Status';
  const close = options.close ? 'Connection: close\r\n' : '';
  return `HTTP/1.1 ${answer.status} ${reason}\r\n${answer.fields}${length}${options.date}${id}${close}\r\n`;
}

/** Shown while a service starts: it looks again every second. 503, so that nothing takes it for the service's own page. */
export function waitingPage(service: string, requestId: string): OwnAnswer {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(service)} is starting</title>
<style>${PAGE_STYLE}progress{width:100%}</style>
<h1>${escapeHtml(service)} is starting</h1><p role="status">It was asleep. This page goes on by itself as soon as it answers.</p>
<progress aria-label="Starting"></progress><p><small>Request ${escapeHtml(requestId)}</small></p></html>
`;
  const fields =
    `Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'; ` +
    `style-src 'unsafe-inline'\r\n${COMMON}Retry-After: 1\r\nRefresh: 1\r\n`;
  return { status: 503, fields, body: Buffer.from(body) };
}

const PAGE_STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 1rem;color-scheme:light dark;
color:light-dark(#1c1c21,#ececf1);background:light-dark(#fff,#131318)}small,code{opacity:.65}`;

function page(problem: Problem, requestId: string): string {
  const detail = problem.detail === undefined ? '' : `<p>${escapeHtml(problem.detail)}</p>`;
  const request = requestId === '' ? '' : `<p><small>Request ${escapeHtml(requestId)}</small></p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${problem.status} ${escapeHtml(problem.title)}</title>
<style>${PAGE_STYLE}</style>
<h1>${escapeHtml(problem.title)}</h1>${detail}<p><code>${problem.status} ${problem.code}</code></p>${request}</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
