import { formatMoney, LEDGER_ACCOUNTS, type LedgerReport } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { BillingContext } from '../context.ts';
import { billPeriod } from '../period/bill-period.ts';
import { listAt } from '../prices/account-list.ts';
import { roundExact } from '../rate/exact.ts';
import { findAccount, loadPeriods, lockAccounts } from '../store/accounts.ts';
import { accrueTo, type LedgerDifference, ledgerBalances, ledgerDifferences } from '../store/ledger.ts';

/** The ledger of one project, compared with its documents as of one moment. */
export function getLedger({ db, clock, prices, newAccount }: BillingContext, project: string): Promise<LedgerReport> {
  return db.transaction(
    async (tx) => {
      const connection = tx.kysely<unknown>();
      const account = (await findAccount(connection, project)) ?? { ...newAccount, changes: [] };
      const balances = await ledgerBalances(connection, project);
      const differences = await ledgerDifferences(connection, project);
      return {
        project,
        currency: listAt(prices, account, clock.now()).currency,
        balances: LEDGER_ACCOUNTS.map((account) => ({ account, balance: formatMoney(balances.get(account) ?? 0n) })),
        balanced: differences.length === 0,
        differences: differences.map(({ what, ledger, documents }) => ({ what, ledger, documents })),
        checkedAt: isoTime(clock.now()),
      };
    },
    { isolation: 'repeatable read' },
  );
}

/** Brings what a project's unfinished periods have accrued up to their live cost. */
export async function accrueOpenPeriods({ db, clock, prices }: BillingContext, project: string): Promise<void> {
  await db.transaction(async (tx) => {
    const connection = tx.kysely<unknown>();
    const account = (await lockAccounts(connection, [project])).get(project);
    const chain = (await loadPeriods(connection, [project])).get(project) ?? [];
    if (!account) return;
    for (const period of chain.filter((one) => one.state !== 'closed')) {
      const { bill } = await billPeriod(connection, account, period, prices);
      await accrueTo(connection, period, roundExact(bill.netExact, 12), clock.now());
    }
  });
}

/** Compares all ledgers with all documents; a difference is an error in the log of whoever runs the platform. */
export async function checkLedgers({ db, logger }: BillingContext): Promise<LedgerDifference[]> {
  const differences = await db.transaction((tx) => ledgerDifferences(tx.kysely<unknown>(), null), {
    isolation: 'repeatable read',
  });
  for (const difference of differences) logger.error({ ...difference }, 'the ledger does not agree with the documents');
  return differences;
}
