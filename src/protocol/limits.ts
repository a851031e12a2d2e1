/** The most that a message may hold. */
export interface ProtocolLimits {
  /** Bytes of a body. */
  readonly bodyBytes: number;
  /** Entries of an upload. */
  readonly entries: number;
  /** Changed records of one entry. */
  readonly members: number;
  /** Bytes of one entry's items. */
  readonly entryBytes: number;
  /** Images of a page. */
  readonly pageItems: number;
}

/** What Fieldtide uses unless told otherwise (design: "transaction limits"). */
export const DEFAULT_LIMITS: ProtocolLimits = {
  bodyBytes: 8 * 1024 * 1024,
  entries: 500,
  members: 2_000,
  entryBytes: 4 * 1024 * 1024,
  pageItems: 500,
};
