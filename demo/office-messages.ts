/** What the back office's JSON API answers; shared by the demo's server and page. */

/** One user's feed. */
export interface FeedSummary {
  readonly user: string;
  readonly head: number;
}

/** One save on a user's feed. */
export interface FeedEntry {
  readonly user: string;
  readonly position: number;
  readonly at: number;
  /** The device's store and its upload number. */
  readonly store: string;
  readonly number: number;
  readonly records: readonly { readonly object: string; readonly id: string }[];
}

/** The feeds of all users. */
export interface FeedsAnswer {
  readonly feeds: readonly FeedSummary[];
  /** Newest first. */
  readonly entries: readonly FeedEntry[];
  /** What the server's clock says, in milliseconds since 1970. */
  readonly today: number;
}

/** What the server decided on one upload. */
export interface OfficeReceipt {
  readonly user: string;
  readonly store: string;
  readonly number: number;
  readonly at: number;
  readonly outcome: string;
}
