/** What the store uses of a pool of connections: a `Pool` of `pg` is one, and so is one of a library that does as it does. */
export interface PostgresPool {
  /** Waits for a connection. */
  connect(): Promise<PostgresConnection>;
}

/** A connection that was taken out of a pool. */
export interface PostgresConnection {
  /** Runs a statement, or several that take no values. */
  query(statement: string | PostgresStatement): Promise<PostgresResult>;
  /** Gives the connection back, or ends it when it is of no more use. */
  release(isBroken?: boolean): void;
  /** Hears that the connection broke while no statement was running. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Stops hearing. */
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** A statement with its values. */
export interface PostgresStatement {
  /** SQL with `$1`, `$2`, … for values. */
  readonly text: string;
  /** The values. */
  readonly values: unknown[];
  /** How columns are read. */
  readonly types: PostgresTypes;
}

/** How columns are read. */
export interface PostgresTypes {
  /** The function that reads a column from its text, by the number (`oid`) of its type. */
  getTypeParser(type: number): (text: string) => unknown;
}

/** What a statement answers. */
export interface PostgresResult {
  /** Its rows, by the names of columns. */
  readonly rows: Record<string, unknown>[];
}
