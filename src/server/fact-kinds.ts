/** What the server keeps in the ledger of facts beside records, see `Fact`. Stored: never rename one. */
export const FACT_KINDS = {
  /** Per header: which upload submitted it, and at which version (rules A23, A24). Never pruned. */
  submission: 'submission',
  /** What changes of override objects replaced (rule A22); a year, or as long as the host says. */
  audit: 'audit',
  /** Per record: the newest of its `audit` facts. */
  auditHead: 'audit-head',
  /** Refused entries, for support; 30 days. */
  refused: 'refused',
  /** When each device's store was heard of, and what it said is pending (rule A3). */
  device: 'device',
  /** Devices' stores that may not sync any more. */
  revoked: 'revoked',
} as const;

/** How long refused entries are kept for support, in milliseconds: thirty days. */
export const REFUSED_RETENTION_MS: number = 30 * 86_400_000;
