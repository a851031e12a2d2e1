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

/** What to send back. */
export interface SyncResponse {
  /** The HTTP status. */
  readonly status: number;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** `null` for an answer without body. */
  readonly body: Uint8Array | null;
}

/** Answers requests; it never rejects. */
export type RequestHandler = (request: SyncRequest) => Promise<SyncResponse>;
