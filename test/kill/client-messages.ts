/** What the client process writes on its standard output, one JSON object a line. A pipe keeps what was written before a kill. */
export type ClientMessage =
  /** It runs, and this is what it has. */
  | { readonly kind: 'ready'; readonly records: RecordTokens }
  /** The next call of the SDK. */
  | { readonly kind: 'trying'; readonly attempt: Attempt }
  /** That call resolved: the save is acknowledged. */
  | { readonly kind: 'acknowledged'; readonly token: string }
  /** The server answered an entry. */
  | { readonly kind: 'settled' }
  /** The answer to `drain`: everything is settled. */
  | { readonly kind: 'drained'; readonly records: RecordTokens; readonly traces: readonly string[]; readonly refused: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

/** The token of each record that a device edits, by id. */
export type RecordTokens = Readonly<Record<string, string>>;

/** One save. */
export interface Attempt {
  readonly op: 'create' | 'update' | 'remove';
  readonly id: string;
  readonly token: string;
  /** The server's rules refuse it. */
  readonly isDoomed: boolean;
}

/** What the client process is told, one word a line. */
export type ClientCommand = 'wake' | 'drain' | 'end';
