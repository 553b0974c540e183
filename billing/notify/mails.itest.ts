import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { testDatabase } from '@skyrun/testing';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY_MS } from '../aggregate/slot.ts';
import { listMails } from '../store/mails.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { createSmtpMailer, type Mailer } from './mailer.ts';
import { replaceContacts, retryMail, sendTestMail, tellContacts } from './manage-mails.ts';
import type { NoticeEvent } from './notice.ts';
import { mailJob, sendMail } from './send-mails.ts';

let billing: TestBilling;
let server: SMTPServer;
let mailer: Mailer;
/** What the server took, and for whom. */
const taken: { to: string[]; message: string }[] = [];
/** Recipients that the server refuses for now. */
const refused = new Set<string>();

beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, callback) {
      callback(refused.has(address) ? Object.assign(new Error('mailbox is full'), { responseCode: 452 }) : null);
    },
    onData(stream, session, callback) {
      text(stream).then((message) => {
        taken.push({ to: session.envelope.rcptTo.map(({ address }) => address), message });
        callback();
      }, callback);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  mailer = createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'Skyrun <bills@skyrun.test>' });
});
afterAll(async () => {
  mailer.close();
  await new Promise<void>((resolve) => server.close(resolve));
  await billing.close();
});

const budgetEvent = (project: string, id: string): NoticeEvent => ({
  id,
  type: 'skyrun.budget.exceeded.v1',
  data: {
    budgetId: 'bdg_1',
    name: 'März',
    project,
    month: '2026-01',
    basis: 'actual',
    percent: 80,
    amount: '100.00',
    spent: '81.239999',
    forecast: '140.5',
    currency: 'USD',
    at: '2026-01-15T12:00:00.000Z',
  },
});
const states = async (project: string) =>
  (await listMails(billing.db.kysely<unknown>(), project, { before: null, limit: 50 })).map(({ mail }) => mail);

test('an alert reaches every contact once, however often its event and its job come', async () => {
  await replaceContacts(billing, 'shop', ['a@x.test', 'b@x.test'], true);
  await tellContacts(billing, budgetEvent('shop', 'evt_1'));
  await tellContacts(billing, budgetEvent('shop', 'evt_1'));
  const job = mailJob(() => billing, mailer);
  const other = mailJob(() => billing.replica(), mailer);
  await Promise.all([runOnce(job), runOnce(job), runOnce(other)]);
  const mine = taken.filter(({ message }) => message.includes('shop'));
  expect(mine.map(({ to }) => to[0]).sort()).toEqual(['a@x.test', 'b@x.test']);
  expect(mine[0]?.message).toContain('From: Skyrun <bills@skyrun.test>');
  expect(mine[0]?.message).toMatch(/^Message-ID: <mail_[0-9a-f-]+@skyrun>/m);
  expect(mine[0]?.message).toContain('Spent:     81.23 USD');
  expect(await states('shop')).toMatchObject([{ state: 'sent', attempts: 1 }, { state: 'sent' }]);
});

test('a mail that the server refuses is tried again and says why; nobody else waits for it', async () => {
  await replaceContacts(billing, 'full', ['full@x.test', 'free@x.test'], true);
  refused.add('full@x.test');
  await sendTestMail(billing, 'full');
  const job = mailJob(() => billing, mailer);
  const ids = await job.items();
  const results = await Promise.allSettled(ids.map((id) => job.run(id, new AbortController().signal)));
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const waiting = (await states('full')).find(({ recipient }) => recipient === 'full@x.test');
  expect(waiting).toMatchObject({ state: 'queued', attempts: 1, error: expect.stringContaining('mailbox is full') });
  expect(await job.items()).toEqual([]);
  refused.clear();
  await billing.clock.advance(DAY_MS);
  await runOnce(job);
  expect(await states('full')).toMatchObject([
    { state: 'sent', error: null },
    { state: 'sent', error: null },
  ]);
});

test('a mail fails for good after its attempts, and goes out when somebody tries again', async () => {
  await replaceContacts(billing, 'gone', ['gone@x.test'], true);
  refused.add('gone@x.test');
  const [mail] = await sendTestMail(billing, 'gone');
  if (!mail) throw new Error('no mail');
  for (let attempt = 0; attempt < 24; attempt += 1) await expect(sendMail(billing, mailer, mail.id)).rejects.toThrow();
  expect(await states('gone')).toMatchObject([{ state: 'failed', attempts: 24 }]);
  await expect(sendMail(billing, mailer, mail.id)).resolves.toBeUndefined();
  refused.clear();
  expect(await retryMail(billing, 'gone', mail.id)).toMatchObject({ state: 'queued', attempts: 0 });
  await runOnce(mailJob(() => billing, mailer));
  expect(await states('gone')).toMatchObject([{ state: 'sent' }]);
  await expect(retryMail(billing, 'gone', mail.id)).rejects.toMatchObject({ code: 'resource.conflict' });
});

/** A mailer that takes its time until `answer` is called. */
function slowMailer() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const slow: Mailer = {
    send() {
      asked += 1;
      return promise;
    },
    close: () => undefined,
  };
  return { mailer: slow, asked: () => asked, answer: resolve };
}

test('while the server takes its time no transaction is open, and no other replica sends the mail', async () => {
  await replaceContacts(billing, 'slow', ['slow@x.test'], true);
  const [mail] = await sendTestMail(billing, 'slow');
  if (!mail) throw new Error('no mail');
  const slow = slowMailer();
  const sending = sendMail(billing, slow.mailer, mail.id);
  await expect.poll(slow.asked, { timeout: 30_000 }).toBe(1);
  const { rows } = await billing.db.query<{ open: string }>(
    `SELECT count(*)::text AS open FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
  );
  expect(rows[0]?.open).toBe('0');
  await sendMail(billing.replica(), slow.mailer, mail.id);
  expect(await mailJob(() => billing, slow.mailer).items()).toEqual([]);
  slow.answer();
  await sending;
  expect(slow.asked()).toBe(1);
  expect(await states('slow')).toMatchObject([{ state: 'sent', attempts: 1 }]);
});

test('a mail whose sender died is sent by another, and a refusal that comes after that changes nothing', async () => {
  await replaceContacts(billing, 'died', ['died@x.test'], true);
  const [mail] = await sendTestMail(billing, 'died');
  if (!mail) throw new Error('no mail');
  const refusal = Promise.withResolvers<void>();
  const hanging: Mailer = { send: () => refusal.promise, close: () => undefined };
  const first = sendMail(billing, hanging, mail.id);
  await expect.poll(async () => (await states('died'))[0]?.attempts, { timeout: 30_000 }).toBe(1);
  await billing.clock.advance(120_000);
  const job = mailJob(() => billing.replica(), mailer);
  expect(await job.items()).toEqual([mail.id]);
  const slow = slowMailer();
  const second = sendMail(billing, slow.mailer, mail.id);
  await expect.poll(slow.asked, { timeout: 30_000 }).toBe(1);
  refusal.reject(new Error('the connection was lost'));
  await expect(first).rejects.toThrow('the connection was lost');
  expect(await job.items()).toEqual([]);
  slow.answer();
  await second;
  expect(await states('died')).toMatchObject([{ state: 'sent', attempts: 2, error: null }]);
});

test('without a mail server, or without a contact, it is said so', async () => {
  await expect(sendTestMail(billing, 'nobody')).rejects.toMatchObject({ code: 'resource.conflict' });
  await replaceContacts(billing, 'alone', ['a@x.test'], false);
  await sendTestMail(billing, 'alone');
  await runOnce(mailJob(() => billing, null));
  expect(await states('alone')).toMatchObject([{ state: 'failed', error: expect.stringContaining('SKYRUN_SMTP_URL') }]);
});

test('a test goes out once a minute, whoever the contacts are meanwhile: nobody can be flooded by us', async () => {
  const conflict = { code: 'resource.conflict', detail: expect.stringContaining('less than a minute ago') };
  await replaceContacts(billing, 'flood', ['one@x.test'], true);
  const sent = await Promise.allSettled(Array.from({ length: 5 }, () => sendTestMail(billing, 'flood')));
  expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await replaceContacts(billing, 'flood', ['two@x.test'], true);
  await expect(sendTestMail(billing, 'flood')).rejects.toMatchObject(conflict);
  await billing.clock.advance(60_001);
  expect(await sendTestMail(billing, 'flood')).toMatchObject([{ recipient: 'two@x.test' }]);
});
