import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/shared/bytes.ts';
import { describeStorageAdapter } from '../../src/testing/describe-storage-adapter.ts';
import { fileStorage, forgetFileStorage } from './file-storage.ts';

const createPlace = (): string => mkdtempSync(join(tmpdir(), 'fieldtide-file-'));

function disposePlace(folder: string): void {
  forgetFileStorage(folder);
  rmSync(folder, { recursive: true, force: true });
}

describeStorageAdapter({ name: 'file', describe, test, createPlace, createAdapter: fileStorage, crash: forgetFileStorage, disposePlace });

describe('a file that was cut off', () => {
  test('keeps every whole commit before the cut, wherever that is, and takes new ones', async () => {
    const folder = createPlace();
    const owner = { tenant: '', user: 'ann' };
    const open = () => fileStorage(folder).open(owner);
    const step = (value: string) => ({ durability: 'strict' as const, putState: [{ key: 'a', bytes: utf8(value) }, { key: 'b', bytes: utf8(value) }] });
    const read = async () => (await (await open()).scanState({ prefix: '', limit: 9 })).map(({ bytes }) => new TextDecoder().decode(bytes));
    const storage = await open();
    await storage.commit(step('1'));
    const path = join(folder, readdirSync(folder)[0]!);
    const first = readFileSync(path).length;
    await storage.commit(step('2'));
    const whole = readFileSync(path);
    for (let cut = first; cut <= whole.length; cut++) {
      forgetFileStorage(folder);
      writeFileSync(path, whole.subarray(0, cut));
      expect(await read()).toEqual(cut === whole.length ? ['2', '2'] : ['1', '1']);
      await (await open()).commit(step('3'));
      forgetFileStorage(folder);
      expect(await read()).toEqual(['3', '3']);
    }
    disposePlace(folder);
  });

  test('takes bytes that follow the last commit for nothing', async () => {
    const folder = createPlace();
    const storage = await fileStorage(folder).open({ tenant: '', user: 'ann' });
    await storage.commit({ durability: 'strict', putState: [{ key: 'a', bytes: utf8('1') }] });
    forgetFileStorage(folder);
    appendFileSync(join(folder, readdirSync(folder)[0]!), '0000000affffffffffffffffleftovers!');
    const again = await fileStorage(folder).open({ tenant: '', user: 'ann' });
    expect(await again.scanState({ prefix: '', limit: 9 })).toHaveLength(1);
    disposePlace(folder);
  });
});
