/** A request as every HTTP library can give it. */
export interface SyncRequest {
  /** The HTTP method, in capitals. */
  readonly method: string;
  /** The path without its query, under any base. */
  readonly path: string;
  /** The parameters of the query, decoded; of a repeated one the last. */
  readonly query: Readonly<Record<string, string>>;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Reads the whole body. One longer than `mostBytes` is to fail with `PROTOCOL_TOO_LARGE` as soon as that is known; a caller that has the
   * body in memory may leave that to the server.
   */
  body(mostBytes: number): Promise<Uint8Array>;
}

/** Where a body goes that is written bit by bit. */
export interface ByteSink {
  /** Sends some bytes at once. */
  write(chunk: Uint8Array): void;
  /** Ends the answer. */
  end(): void;
}

/** A body that goes on: it writes from the moment at which it is called, until it ends itself or the function that it returned is called. */
export type OpenStream = (sink: ByteSink) => () => void;

/** What to send back. */
export interface SyncResponse {
  /** The HTTP status. */
  readonly status: number;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** `null` for an answer without body, or with a `stream`. */
  readonly body: Uint8Array | null;
  /** A body that goes on. Call it exactly once, and what it returned when the other side goes away. */
  readonly stream?: OpenStream;
}

/** Answers requests; it never rejects. */
export type RequestHandler = (request: SyncRequest) => Promise<SyncResponse>;
