import { bytesToHex } from '../../../shared/bytes.ts';
import type { Fact, FactQuery } from '../fact.ts';
import type { StoreTransaction } from '../server-store.ts';
import type { Sql, SqlRow } from './sql.ts';

const COLUMNS = 'f.kind, f.key, f.user_id, f.created_at, f.body';

/** The store's ledger of facts, as statements. */
export function createFactStatements(sql: Sql, tenant: string): Pick<StoreTransaction, 'getFact' | 'getFacts' | 'listFacts' | 'putFact' | 'putFacts' | 'removeFact' | 'pruneFacts'> {
  return {
    async getFact(kind, key) {
      const [row] = await sql.query(`select ${COLUMNS} from fieldtide_fact f where f.tenant = $1 and f.kind = $2 and f.key = $3`, [tenant, kind, key]);
      return row === undefined ? null : readFact(row);
    },
    async getFacts(kind, keys) {
      const rows = await sql.query(
        `select ${COLUMNS} from fieldtide_fact f where f.tenant = $1 and f.kind = $2 and f.key = any(array(select unnest($3::text[])))`,
        [tenant, kind, keys],
      );
      return rows.map(readFact);
    },
    async listFacts(kind, { user, order = 'oldest', beyond, limit }: FactQuery) {
      const conditions = ['f.tenant = $1', 'f.kind = $2'];
      const values: (string | number)[] = [tenant, kind, limit];
      if (user !== undefined) conditions.push(`f.user_id = $${values.push(user)}`);
      if (beyond !== undefined) {
        const [createdAt, key] = [values.push(beyond.createdAt), values.push(beyond.key)];
        conditions.push(`(f.created_at, f.key) ${order === 'oldest' ? '>' : '<'} ($${createdAt}, $${key})`);
      }
      const direction = order === 'oldest' ? 'asc' : 'desc';
      const rows = await sql.query(
        `select ${COLUMNS} from fieldtide_fact f where ${conditions.join(' and ')} order by f.created_at ${direction}, f.key ${direction} limit $3`,
        values,
      );
      return rows.map(readFact);
    },
    async putFact({ kind, key, user, createdAt, body }) {
      await sql.query(
        `insert into fieldtide_fact (tenant, kind, key, user_id, created_at, body) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant, kind, key) do update set user_id = excluded.user_id, created_at = excluded.created_at, body = excluded.body`,
        [tenant, kind, key, user, createdAt, body],
      );
    },
    async putFacts(facts) {
      if (facts.length === 0) return;
      // Bytes as text: not every driver takes lists of bytes.
      await sql.query(
        `insert into fieldtide_fact (tenant, kind, key, user_id, created_at, body)
         select $1, n.kind, n.key, n.user_id, n.created_at, decode(n.body, 'hex')
         from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[]) as n (kind, key, user_id, created_at, body)
         on conflict (tenant, kind, key) do update set user_id = excluded.user_id, created_at = excluded.created_at, body = excluded.body`,
        [tenant, facts.map(({ kind }) => kind), facts.map(({ key }) => key), facts.map(({ user }) => user), facts.map(({ createdAt }) => createdAt), facts.map(({ body }) => bytesToHex(body))],
      );
    },
    async removeFact(kind, key) {
      await sql.query('delete from fieldtide_fact where tenant = $1 and kind = $2 and key = $3', [tenant, kind, key]);
    },
    async pruneFacts(kind, before) {
      await sql.query('delete from fieldtide_fact where tenant = $1 and kind = $2 and created_at < $3', [tenant, kind, before]);
    },
  };
}

function readFact(row: SqlRow): Fact {
  return { kind: row.kind as string, key: row.key as string, user: row.user_id as string, createdAt: row.created_at as number, body: row.body as Uint8Array };
}
