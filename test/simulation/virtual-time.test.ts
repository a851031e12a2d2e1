import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { createVirtualTime, RUN_BEGINS_AT } from '../../src/testing/simulation/virtual-time.ts';

describe('virtual time', () => {
  test('runs what is due in the order of time, and of one instant in the order it was asked for', async () => {
    const time = createVirtualTime();
    const ran: string[] = [];
    for (const [delay, name] of [[30, 'c'], [10, 'a'], [30, 'd'], [20, 'b'], [500, 'later']] as const) time.after(delay, () => ran.push(`${name}@${time.elapsed}`));
    await time.pass(100);
    expect(ran).toEqual(['a@10', 'b@20', 'c@30', 'd@30']);
    expect(time.elapsed).toBe(100);
  });

  test('lets promises settle before the next thing is due, however long their chain', async () => {
    const time = createVirtualTime();
    const ran: string[] = [];
    time.after(1, () => {
      void (async () => {
        for (let link = 0; link < 1_000; link++) await Promise.resolve();
        ran.push('chain');
      })();
    });
    time.after(1, () => ran.push('next'));
    await time.pass(1);
    expect(ran).toEqual(['chain', 'next']);
  });

  test('a cancelled call never runs, and neither does a timer of a stopped clock', async () => {
    const time = createVirtualTime();
    const ran: string[] = [];
    let isStopped = false;
    time.after(5, () => ran.push('cancelled'))();
    time.clock({ isStopped: () => isStopped }).setTimer(10, () => ran.push('stopped'));
    isStopped = true;
    await time.pass(20);
    expect(ran).toEqual([]);
  });

  test('clocks may be years off, and still run at the same pace', async () => {
    const time = createVirtualTime();
    const clock = time.clock({ offBy: () => -3_600_000 });
    await time.pass(1_500);
    expect(clock.now()).toBe(RUN_BEGINS_AT + 1_500 - 3_600_000);
    expect(clock.monotonic()).toBe(1_500);
  });

  test('waits for work only as long as it was told', async () => {
    const time = createVirtualTime();
    expect(await time.passUntil(time.wait(40).then(() => 'done'), 50)).toBe('done');
    expect(time.elapsed).toBe(40);
    await expect(time.passUntil(new Promise(() => {}), 50)).rejects.toThrow('nothing came of it within 50 ms');
    await expect(time.passUntil(Promise.reject(new Error('no')), 50)).rejects.toThrow('no');
  });

  test('keeps its order under any mixture of calls', async () => {
    const random = createSeededRandom(1);
    const time = createVirtualTime();
    const ran: number[] = [];
    const note = () => ran.push(time.elapsed);
    for (let call = 0; call < 500; call++) time.after(random.integer(0, 1_000), () => (note(), random.chance(0.5) && time.after(random.integer(0, 50), note)));
    await time.pass(2_000);
    expect(ran.length).toBeGreaterThan(600);
    expect(ran).toEqual([...ran].sort((left, right) => left - right));
  });
});

describe('seeded randomness', () => {
  test('gives the same numbers for the same seed, and others for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, ((random) => () => random.next())(createSeededRandom(seed)));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('forks do not disturb one another', () => {
    const one = createSeededRandom(7);
    const before = one.fork('network').next();
    one.fork('workload').bytes(100);
    expect(one.fork('network').next()).toBe(before);
  });

  test('spreads evenly enough', () => {
    const random = createSeededRandom('spread');
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 4_000; draw++) counts[random.integer(0, 3)]!++;
    for (const count of counts) expect(count).toBeGreaterThan(850);
    expect(random.weighted({ never: 0, always: 1 })).toBe('always');
  });
});
