import type { SyncStatus } from '../../../src/client/status.ts';
import { count, formatMoment, seconds } from '../crm/format.ts';

export interface StatusWords {
  readonly tone: 'good' | 'busy' | 'wait' | 'late' | 'bad';
  readonly headline: string;
  readonly detail: string;
}

/** The status of a device in one headline and one line of detail. */
export function describeStatus(status: SyncStatus): StatusWords {
  const detail = describeDetail(status);
  const pending = count(status.pending, 'change');
  switch (status.state) {
    case 'upToDate':
      if (status.lastDownloadAt === null) return { tone: 'busy', headline: 'New device', detail: 'Its records come with the first download' };
      return { tone: 'good', headline: 'Up to date', detail };
    case 'active':
      return { tone: 'busy', headline: progressHeadline(status), detail };
    case 'pending':
      return { tone: 'wait', headline: status.pending === 0 ? 'News is missing' : `${pending} waiting`, detail };
    case 'overdue':
      return { tone: 'late', headline: `${pending} overdue`, detail };
    case 'error':
      return { tone: 'bad', headline: errorHeadline(status), detail: status.pending > 0 ? `${pending} waiting · ${detail}` : detail };
  }
}

function errorHeadline({ syncErrors, needsAuth, revoked, upgradeRequired }: SyncStatus): string {
  if (syncErrors > 0) return count(syncErrors, 'problem');
  if (revoked) return 'This device was shut out';
  if (needsAuth) return 'Sign in to go on';
  return upgradeRequired ? 'Update to go on' : 'Stopped';
}

function progressHeadline({ progress, pending }: SyncStatus): string {
  if (progress === null) return pending === 0 ? 'Working' : `Sending ${count(pending, 'change')}`;
  if (progress.stage === 'uploading') return 'Sending first';
  return `${progress.stage === 'downloading' ? 'Downloading' : 'Applying'} ${count(progress.records, 'record')}`;
}

function describeDetail({ retryInMs, lastDownloadAt }: SyncStatus): string {
  if (retryInMs !== null && retryInMs > 0) return `Next try in ${seconds(retryInMs)}`;
  return lastDownloadAt === null ? 'No download yet' : `Last download ${formatMoment(lastDownloadAt)}`;
}
