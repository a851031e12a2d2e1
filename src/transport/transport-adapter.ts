/** One request to the server. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query below the server's base URL, such as `feed?cursor=…`. */
  readonly path: string;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Ends the request early; it then fails with `TRANSPORT_ABORTED`. */
  readonly signal?: AbortSignal;
}

/** What came back, whatever its status: the client decides whether it is an answer of ours. */
export interface TransportResponse {
  readonly status: number;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Carries requests to the server. It neither retries nor interprets: queue and poller do.
 *
 * Faults: `TRANSPORT_UNREACHABLE`, `TRANSPORT_TIMEOUT`, `TRANSPORT_ABORTED`, `TRANSPORT_TOO_LARGE`, `AUTH_REQUIRED` when no token is to
 * be had.
 */
export interface TransportAdapter {
  send(request: TransportRequest): Promise<TransportResponse>;
  close?(): void;
}
