import { describe, expect, test } from 'vitest';
import { SyncFault } from '../../src/schema.ts';
import type { Sql, SqlDriver } from '../../src/server/store/sql/sql.ts';
import { createSqlStore } from '../../src/server/store/sql/sql-store.ts';
import { createSqlTransaction } from '../../src/server/store/sql/sql-transaction.ts';
import { CREATE_TABLES } from '../../src/server/store/sql/tables.ts';
import { note, noteKey } from '../../src/testing/server-store-suite/context.ts';

/** What not every Postgres has, or what cannot be distributed by tenant. */
const FORBIDDEN = /\b(serial|sequence|identity|trigger|references|foreign key|listen|notify|advisory|xid|txid|skip locked|bit_xor|truncate|savepoint)\b/i;

async function everyStatement(): Promise<string[]> {
  const statements: string[] = [];
  const sql: Sql = {
    async query(text, values) {
      statements.push(text);
      if (values[0] !== 'the tenant') throw new Error(`the first value is not the tenant: ${text}`);
      const answers = /returning number/.test(text) ? [] : [{ id: 'a', user_id: 'u', value: 1, head: 1, floor: 0, feed: 'f', position: 1, hash: '', content: ['note', []], records: [] }];
      return /row_bytes/.test(text) && !/returning id/.test(text) ? [] : answers;
    },
  };
  const transaction = createSqlTransaction(sql, 'the tenant', { has: () => false, add: () => {} });
  const receipt = { user: 'u', store: 's', number: 1 };
  await transaction.epoch();
  await transaction.getRecords([noteKey('a')]);
  await transaction.lockRecords([noteKey('a')]);
  await transaction.scanRecords('note', null, 1);
  await transaction.listChildren('note', 'p');
  await transaction.outlines([noteKey('a')]);
  await transaction.childOutlines('note', ['p']);
  await transaction.findByRecordId('note', 'r');
  await transaction.getLayout('h');
  await transaction.getFeed('u');
  await transaction.oldestFeedPosition('u', 0);
  await transaction.listFeed('u', 0, 1);
  await transaction.storeOwner('s');
  await transaction.putRecords([note('a', 'x')]); // found missing above
  await transaction.putRecords([note('b', 'x')]);
  await transaction.nextNumber('note', 'n');
  await transaction.claimReceipt(receipt);
  await transaction.getReceipt(receipt);
  await transaction.putReceipt(receipt, { hash: '', createdAt: 0, result: new Uint8Array() });
  await transaction.claimStore('s', 'u');
  await transaction.openFeed('u', 'f');
  await transaction.appendFeed('u', { createdAt: 0, store: 's', number: 1, records: [] });
  await transaction.prune({ feedBefore: 0, receiptsBefore: 0 });
  await transaction.raiseEpoch();
  await transaction.getFact('k', 'a');
  for (const order of ['oldest', 'newest'] as const) await transaction.listFacts('k', { order, user: 'u', beyond: { createdAt: 1, key: 'a' }, limit: 1 });
  await transaction.putFact({ kind: 'k', key: 'a', user: 'u', createdAt: 1, body: new Uint8Array() });
  await transaction.getFacts('k', ['a']);
  await transaction.putFacts([{ kind: 'k', key: 'a', user: 'u', createdAt: 1, body: new Uint8Array() }]);
  await transaction.readHeads(['s'], 'k');
  await transaction.removeFact('k', 'a');
  await transaction.pruneFacts('k', 1);
  return statements;
}

describe('the SQL of the store', () => {
  test('names the tenant first in every key', () => {
    for (const statement of CREATE_TABLES) {
      expect(statement).toMatch(statement.startsWith('create table') ? /primary key \(tenant, / : / \(tenant, /);
      expect(statement).not.toMatch(FORBIDDEN);
    }
  });

  test('stays within one tenant in every statement, and uses only what every Postgres has', async () => {
    const statements = await everyStatement();
    expect(statements.length).toBeGreaterThan(20);
    for (const statement of statements) {
      expect(statement).not.toMatch(FORBIDDEN);
      expect(statement).toMatch(/^\s*insert/.test(statement) ? /\(tenant, [^)]*\)\s*(values \(|select )\$1/ : /tenant = \$1/);
      // `select x::text … order by x` would sort the text: positions 1, 10, 2.
      expect(statement).not.toMatch(/select [^;]*::text [^;]*order by/);
    }
  });

  test('runs a transaction again when it only collided with another, and gives up in the end', async () => {
    const collision = Object.assign(new Error('could not serialize access'), { code: '40001' });
    let failures = 0, attempts = 0;
    const driver: SqlDriver = {
      transaction: async (_mode, work) => {
        attempts++;
        return work({ query: async () => { if (failures-- > 0) throw collision; return []; } });
      },
      retention: async () => 'delete',
      isRetryable: (thrown) => thrown === collision,
      close: async () => {},
    };
    const store = createSqlStore(Promise.resolve(driver), () => 'power-loss');
    failures = 3;
    expect([await store.run('t', (transaction) => transaction.epoch()), attempts]).toEqual([1, 4]);
    failures = Infinity;
    await expect(store.run('t', (transaction) => transaction.epoch())).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(attempts).toBe(24);
    failures = 0;
    attempts = 0;
    const mine = new SyncFault('RECORD_MISSING', 'mine');
    await expect(store.run('t', async () => { throw mine; })).rejects.toBe(mine);
    expect(attempts).toBe(1);
  });
});
