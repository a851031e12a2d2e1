import { describe } from 'vitest';
import { findPostgres } from '../../scripts/postgres.mjs';

/** Registers tests that need a PostgreSQL server; where there is none they are skipped and the report says why. */
export function describeOnPostgres(name: string, options: { readonly timeout: number }, define: () => void): void {
  if (findPostgres() !== undefined) describe(name, options, define);
  else describe.skip(`${name} [not proven: there is no PostgreSQL here]`, options, define);
}
