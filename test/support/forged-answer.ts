import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import type { EntryResult, UploadAnswer } from '../../src/protocol/messages.ts';
import type { Intercept } from './world.ts';

/** Lets the server answer uploads, and changes what the answer says of each entry. */
export function forgeResults(forge: (result: EntryResult, index: number) => object, path = 'upload'): Intercept {
  return forgeAnswer((answer) => ({ ...answer, results: answer.results.map(forge) as unknown as EntryResult[] }), path);
}

/** Lets the server answer uploads, and changes the answer. */
export function forgeAnswer(forge: (answer: UploadAnswer) => object, path = 'upload'): Intercept {
  return async (request, send) => {
    const response = await send(request);
    if (request.path !== path || response.status !== 200) return response;
    return { ...response, body: encodeEnvelope(forge(decodeEnvelope(response.body) as UploadAnswer)) };
  };
}
