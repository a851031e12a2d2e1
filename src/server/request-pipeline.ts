import { SyncFault } from '../shared/fault.ts';
import type { Admission, RequestKind } from './admission.ts';
import { faultResponse } from './answer.ts';
import type { Principal } from './principal.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { ByteSink, OpenStream, RequestHandler, SyncRequest, SyncResponse } from './sync-request.ts';
import type { Identifier } from './token-cache.ts';

/** What is answered under one name. */
export interface Endpoint {
  readonly method: string;
  /** What its requests are counted among. */
  readonly kind: RequestKind;
  readonly answer: (request: SyncRequest, principal: Principal) => Promise<SyncResponse>;
}

export interface PipelineOptions {
  /** By the last part of the path. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** The part of the path before it; `undefined` for any. */
  readonly basePath: string | undefined;
  readonly admission: Admission;
  readonly identify: Identifier;
  readonly isClosed: () => boolean;
  readonly log: (event: ServerLogEvent) => void;
}

/**
 * Makes what every request goes through before it is answered: the endpoint, a place among those under way, and only then the question
 * who sends it. What is too much is turned away before anything is done for it, and before its body is read.
 */
export function createPipeline({ endpoints, basePath, admission, identify, isClosed, log }: PipelineOptions): RequestHandler {
  function find({ path, method }: SyncRequest): Endpoint {
    const endpoint = endpoints[endpointName(path, basePath)];
    if (endpoint?.method !== method) throw new SyncFault('PROTOCOL_NOT_FOUND', 'there is no such endpoint');
    return endpoint;
  }

  return async (request) => {
    let leave = (): void => {};
    try {
      if (isClosed()) throw new SyncFault('SERVER_BUSY', 'the server is closing');
      const endpoint = find(request);
      leave = admission.enter(endpoint.kind);
      const principal = identify(request);
      // Known by a token that was checked before: nothing to wait for.
      const response = await endpoint.answer(request, principal instanceof Promise ? await principal : principal);
      const { stream } = response;
      if (stream !== undefined) return { ...response, stream: untilItEnds(stream, leave) };
      leave();
      return response;
    } catch (thrown) {
      leave();
      return faultResponse(thrown, log);
    }
  };
}

/** A stream keeps its place until it ends, from whichever side. */
function untilItEnds(stream: OpenStream, leave: () => void): OpenStream {
  return (sink) => {
    const end = (): void => {
      leave();
      sink.end();
    };
    const stop = stream({ write: (chunk) => sink.write(chunk), end } satisfies ByteSink);
    return () => {
      stop();
      leave();
    };
  };
}

function endpointName(path: string, basePath: string | undefined): string {
  const at = path.lastIndexOf('/');
  if (basePath !== undefined && trimSlashes(path.slice(0, at)) !== trimSlashes(basePath)) return '';
  return path.slice(at + 1);
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
