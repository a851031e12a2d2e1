/**
 * What goes wrong in a simulated network, each as a probability from 0 to 1. Everything is 0 until it is set.
 */
export interface Faults {
  /** Requests that never reach the server. */
  readonly lostRequests: number;
  /** Answers that never come back: the server has done its work, the device does not know. */
  readonly lostAnswers: number;
  /** Requests that reach the server a second time, some of them much later. */
  readonly repeatedRequests: number;
  /** Requests or answers that are under way for seconds, and may come in after the device has given up. */
  readonly delays: number;
  /** An earlier answer instead of the right one, as a cache would give. */
  readonly staleAnswers: number;
  /** Status 500, 502, 503 or 504 from something before the server, with or without the request having got through. */
  readonly gatewayErrors: number;
  /** A page of HTML with status 200, as the network of a hotel sends. */
  readonly captivePortals: number;
  /** Bodies that end too early. */
  readonly truncatedAnswers: number;
  /** Status 401: the token has run out. The client waits for `wake()`. */
  readonly refusedTokens: number;
  /** Per storage commit of a device: its process ends just before or just after it. The test starts it again. */
  readonly deviceCrashes: number;
  /** Per storage commit of a device: it fails, and nothing is written. */
  readonly failedCommits: number;
  /** Per commit of the server: its process ends just before or just after it. It is back at once, on the same data. */
  readonly serverCrashes: number;
}

/** Nothing goes wrong. */
export const NO_FAULTS: Faults = {
  lostRequests: 0,
  lostAnswers: 0,
  repeatedRequests: 0,
  delays: 0,
  staleAnswers: 0,
  gatewayErrors: 0,
  captivePortals: 0,
  truncatedAnswers: 0,
  refusedTokens: 0,
  deviceCrashes: 0,
  failedCommits: 0,
  serverCrashes: 0,
};
