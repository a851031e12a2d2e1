/** One request to the server. */
export interface TransportRequest {
  /** `POST` for uploads, `GET` for everything else. */
  readonly method: 'GET' | 'POST';
  /** Path and query below the server's base URL, such as `feed?cursor=…`. */
  readonly path: string;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes to send, as content type `application/vnd.fieldtide+msgpack`; left out for a `GET`. */
  readonly body?: Uint8Array;
  /** Ends the request early; it then fails with `TRANSPORT_ABORTED`. */
  readonly signal?: AbortSignal;
}

/** What came back, whatever its status: the client decides whether it is an answer of ours. */
export interface TransportResponse {
  /** The HTTP status, whatever it is. */
  readonly status: number;
  /** Headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body, decompressed; empty where there is none. */
  readonly body: Uint8Array;
}

/**
 * Carries requests to the server. It neither retries nor interprets: queue and poller do.
 *
 * Faults: `TRANSPORT_UNREACHABLE`, `TRANSPORT_TIMEOUT`, `TRANSPORT_ABORTED`, `TRANSPORT_TOO_LARGE`, `AUTH_REQUIRED` when no token is to
 * be had.
 */
export interface TransportAdapter {
  /** Sends one request and resolves with whatever answer came; offline it fails with `TRANSPORT_UNREACHABLE`. */
  send(request: TransportRequest): Promise<TransportResponse>;
  /**
   * Listens for the server's hints that there is something to poll for, if it can: calls back for each, and resolves with `null` when the
   * stream ends, or with what came in its place. It is aborted by `request.signal`. @defaultValue the client polls at its interval
   */
  hints?(request: TransportRequest, onHint: () => void): Promise<TransportResponse | null>;
  /** Aborts what is under way, which fails with `TRANSPORT_ABORTED` as later requests do; calling it twice does nothing. */
  close?(): void;
}
