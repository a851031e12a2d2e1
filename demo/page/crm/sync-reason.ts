import type { SyncReason } from '../../../src/client/inbox/explain.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { ObjectName } from '../../schema.ts';
import { seconds } from './format.ts';
import { FACES, type TitleOf } from './object-face.ts';

/** Puts one reason why a record is not synced into words. */
export function describeReason(reason: SyncReason, titleOf: TitleOf): string {
  switch (reason.code) {
    case 'draft': return 'It is in a draft that you have not saved yet.';
    case 'revoked': return 'The server takes nothing from this device any more.';
    case 'upgrade-required': return 'The app has to be updated first.';
    case 'needs-auth': return 'Somebody has to sign in.';
    case 'offline': return 'This device is offline.';
    case 'in-background': return 'The app is in the background.';
    case 'refused': return 'The server refused it: look at the problem and decide.';
    case 'waiting-behind': {
      const other = titleOf(reason.object as ObjectName, reason.id) || `one ${FACES[reason.object as ObjectName].one}`;
      const relation = reason.because === 'group' ? 'an earlier save of the same group' : 'a record that it refers to';
      return `It waits behind ${relation}, “${other}”${reason.isRefused ? ', which was refused' : ''}.`;
    }
    case 'deferred': return `The server asked to send it again in ${seconds(reason.retryInMs)}.`;
    case 'backing-off': return `The last request failed; the next try is in ${seconds(reason.retryInMs)}.`;
    case 'sending': return 'It is on its way.';
    case 'queued': return 'It waits in the upload queue.';
    case 'kept-aside': return 'A newer version from the server is kept aside until this is settled.';
    case 'read-wanted': return 'You took a change of it back: how it is online is still to be read.';
    case 'newer-version-waits':
      return reason.because === 'in-use'
        ? 'A newer version waits until whoever has it open leaves it.'
        : `A newer version waits until all of it is here.${missingWords(reason.missing, titleOf)}`;
  }
}

function missingWords(missing: readonly RecordRef[], titleOf: TitleOf): string {
  const names = missing.map(({ object, id }) => {
    const title = titleOf(object as ObjectName, id);
    return title === '' ? `one ${FACES[object as ObjectName].one}` : `“${title}”`;
  });
  return names.length === 0 ? '' : ` Still missing: ${names.join(', ')}.`;
}
