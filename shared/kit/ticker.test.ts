import { expect, test } from 'vitest';
import { ManualClock } from './clock.ts';
import { createLogger, silentLogger } from './logger.ts';
import { createTicker } from './ticker.ts';

function setUp(run: () => Promise<void>) {
  const clock = new ManualClock(0);
  return { clock, ticker: createTicker({ name: 'test', clock, logger: silentLogger, everyMs: 100, run }) };
}

test('runs at start, then at each interval after a run ended', async () => {
  const at: number[] = [];
  const { clock, ticker } = setUp(async () => {
    at.push(clock.now());
    await clock.sleep(30);
  });
  ticker.start();
  await clock.advance(270);
  expect(at).toEqual([0, 130, 260]);
});

test('many wakes during a run make exactly one more run', async () => {
  let runs = 0;
  const { clock, ticker } = setUp(async () => {
    runs += 1;
    await clock.sleep(10);
  });
  ticker.start();
  for (let i = 0; i < 5; i += 1) ticker.wake();
  await clock.advance(25);
  expect(runs).toBe(2);
});

test('a failing run does not end the ticker', async () => {
  let runs = 0;
  const { clock, ticker } = setUp(async () => {
    runs += 1;
    throw new Error('no');
  });
  ticker.start();
  await clock.advance(250);
  expect(runs).toBe(3);
});

test('the same error again and again is logged ever less often, another at once, and that it is over', async () => {
  const clock = new ManualClock(0);
  const said: string[] = [];
  const logger = createLogger({
    service: 'test',
    destination: {
      write(line) {
        const { level, error, ticks } = JSON.parse(line);
        said.push(level === 'error' ? `${error.message} ${ticks}` : `over ${ticks}`);
      },
    },
  });
  let problem: string | null = 'disk full';
  const run = async () => {
    if (problem !== null) throw new Error(problem);
  };
  const ticker = createTicker({ name: 'test', clock, logger, everyMs: 100, run });
  ticker.start();
  await clock.advance(950);
  expect(said).toEqual(['disk full 1', 'disk full 2', 'disk full 4', 'disk full 8']);
  problem = 'refused';
  await clock.advance(100);
  problem = null;
  await clock.advance(300);
  expect(said.slice(4)).toEqual(['refused 1', 'over 1']);
  await ticker.stop();
});

test('stop waits for the run in progress; stop before start and twice are harmless', async () => {
  let ended = false;
  const { clock, ticker } = setUp(async () => {
    await clock.sleep(50);
    ended = true;
  });
  ticker.start();
  await clock.advance(10);
  const stopped = ticker.stop();
  await clock.advance(50);
  await stopped;
  await ticker.stop();
  expect(ended).toBe(true);

  const other = setUp(async () => expect.unreachable('a stopped ticker ran'));
  await other.ticker.stop();
  other.ticker.start();
  other.ticker.wake();
  await other.clock.advance(500);
});
