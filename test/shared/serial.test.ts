import { describe, expect, test } from 'vitest';
import { createSerial } from '../../src/shared/serial.ts';

describe('serial steps', () => {
  test('run one after another, whatever each of them waits for', async () => {
    const serial = createSerial();
    const log: string[] = [];
    const goes: (() => void)[] = [];
    const step = (name: string) => serial.run(async () => {
      log.push(`${name} begins`);
      await new Promise<void>((resolve) => goes.push(resolve));
      log.push(`${name} ends`);
      return name;
    });
    const answers = Promise.all([step('a'), step('b')]);
    const idle = serial.idle().then(() => log.push('idle'));
    await turn();
    expect(log).toEqual(['a begins']);
    goes[0]!();
    await turn();
    expect(log).toEqual(['a begins', 'a ends', 'b begins']);
    goes[1]!();
    expect(await answers).toEqual(['a', 'b']);
    await idle;
    expect(log.slice(3)).toEqual(['b ends', 'idle']);
  });

  test('go on behind one that fails, and only its caller hears of it', async () => {
    const serial = createSerial();
    const failing = serial.run(() => Promise.reject(new Error('first')));
    const throwing = serial.run(() => {
      throw new Error('second');
    });
    const next = serial.run(async () => 'third');
    await expect(failing).rejects.toThrow('first');
    await expect(throwing).rejects.toThrow('second');
    expect(await next).toBe('third');
    await serial.idle();
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
