import { createHash } from 'node:crypto';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import type { TransportAdapter, TransportRequest } from '../../src/transport/transport-adapter.ts';

/** A transport over which the server gets every request, and whose answers are lost. */
export interface LossyTransport extends TransportAdapter {
  /** Answers lost so far. */
  readonly lost: number;
}

/** Loses each answer once: that the same request is answered again in the same way is heard. */
export function loseEveryAnswerOnce(way: TransportAdapter): LossyTransport {
  const lost = new Set<string>();
  return {
    get lost() {
      return lost.size;
    },
    async send(request) {
      const response = await way.send(request);
      const name = nameOf(request, response.status);
      if (lost.has(name)) return response;
      lost.add(name);
      throw new SyncFault('TRANSPORT_UNREACHABLE', `the answer to ${request.path} was lost`);
    },
    close: () => way.close?.(),
  };
}

/** The feed says that there is nothing new under the request by which it says later what is new: so the status is part of it. */
function nameOf({ method, path, body }: TransportRequest, status: number): string {
  const { attempt: _, ...message } = body === undefined ? { attempt: null } : (decodeEnvelope(body) as { readonly attempt: string });
  return createHash('sha256').update(`${method} ${path} ${status}\n`).update(encodeEnvelope(message)).digest('hex');
}
