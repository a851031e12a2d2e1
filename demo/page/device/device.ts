import type { SyncStatus } from '../../../src/client/status.ts';
import type { Unsent } from '../../../src/client/inbox/sign-out.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import { createBrowser, type Browser } from '../records/browser.ts';
import { createDeviceSource } from './device-source.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createDeviceLog, type DeviceLog } from './log.ts';
import { readNetworkMode, storeNetworkMode, type Connection, type NetworkMode } from './network.ts';
import type { DeviceProfile } from './profiles.ts';
import { readSignedOut, storeSignedOut, watchSignedOut } from './signed-out.ts';
import { createWaiting, type Waiting } from './waiting.ts';

/** A client in a worker that can be killed, and the connection it runs over. */
export interface RunningClient {
  readonly client: SyncClient;
  /** Ends the worker at once: no goodbye, nothing is written any more. */
  kill(): void;
  setConnection(connection: Connection): void;
}

/** One device of the page, as its panel shows it. */
export interface Device {
  readonly profile: DeviceProfile;
  readonly browser: Browser;
  readonly log: DeviceLog;
  readonly connection: Connection;
  /** `null` while the client starts. */
  readonly status: SyncStatus | null;
  readonly inbox: Inbox;
  /** What came and is not shown yet. */
  readonly waiting: Waiting;
  /** What nobody has uploaded, while the person is asked what is to become of it at the sign-out. */
  readonly asksToSignOut: Unsent | null;
  /** What stays on the device while nobody is signed in; `null` while somebody is. */
  readonly signedOut: Unsent | null;
  /** It took something over from another device since the page was opened. */
  readonly hasHeardFromOthers: boolean;
  /** Why the client does not run, in words. */
  readonly fault: string | null;
  setNetwork(mode: NetworkMode): void;
  /** Leaves an order line out of what the feed brings, until it is told otherwise. */
  holdBack(isHeldBack: boolean): void;
  download(): Promise<void>;
  /** Signs out at once when everything is uploaded, else asks. */
  askToSignOut(isAsked: boolean): void;
  signOut(unsent: 'upload' | 'keep'): Promise<void>;
  signIn(): void;
  killAndRestart(): void;
  /** Says again whether it is online: the SDK listens to the browser's own word too, and that is of the whole page. */
  repeatNetwork(): void;
}

export interface DeviceOptions {
  readonly profile: DeviceProfile;
  readonly openClient: (profile: DeviceProfile, connection: Connection, onConnection: (connection: Connection) => void) => RunningClient;
  readonly onChange: () => void;
}

const RESTART_MS = 700;
const FIRST_DOWNLOAD_RETRY_MS = 2_000;

export function createDevice({ profile, openClient, onChange }: DeviceOptions): Device {
  const source = createDeviceSource();
  const browser = createBrowser(source, onChange, () => (status?.lastDownloadAt === null ? 'The records come with the first download.' : null));
  const log = createDeviceLog(onChange);
  const inbox = createInbox({ browser, log, onChange });
  const waiting = createWaiting(onChange);
  let running: RunningClient | null = null;
  let connection: Connection = { mode: readNetworkMode(profile.key), holdsBack: false };
  let status: SyncStatus | null = null;
  let asksToSignOut: Unsent | null = null;
  let signedOut = readSignedOut(profile.key);
  let fault: string | null = null;
  let isDownloading = false;
  let hasHeardFromOthers = false;

  function start(): void {
    const opened = openClient(profile, connection, (now) => {
      connection = now;
      tellNetwork();
      onChange();
    });
    const { client } = opened;
    running = opened;
    source.connect(client);
    inbox.connect(client);
    waiting.connect(client);
    client.events.subscribe((event) => {
      if ('object' in event) browser.titles.forget(event.object as ObjectName, event.id);
      if (event.type === 'download:applied') browser.titles.forgetAll();
      if (event.type === 'feed:merged') hasHeardFromOthers = true;
      log.addEvent(event);
      waiting.hear(event);
      browser.refresh();
    });
    client.status.subscribe((now) => {
      status = now;
      if (now.parked === 0 && inbox.pane === 'waiting') inbox.show(null);
      browser.refresh();
      waiting.refresh();
      onChange();
      if (now.lastDownloadAt === null && now.isOnline && !isDownloading) void downloadFirst(opened);
    });
    tellNetwork();
    client.ready.catch((thrown: unknown) => {
      if (running !== opened) return;
      fault = messageOf(thrown);
      onChange();
    });
  }

  /** A new device gets its records by itself. */
  async function downloadFirst(opened: RunningClient): Promise<void> {
    isDownloading = true;
    try {
      await opened.client.download();
    } catch {
      // The log says why. It goes on where it stopped, once the device is online.
      setTimeout(() => {
        const isStillDue = running === opened && status?.lastDownloadAt === null && connection.mode !== 'offline';
        if (isStillDue && !isDownloading) void downloadFirst(opened);
      }, FIRST_DOWNLOAD_RETRY_MS);
    } finally {
      isDownloading = false;
    }
  }

  function tellNetwork(): void {
    running?.client.setLifecycle({ isOnline: connection.mode !== 'offline' }).catch(() => {}); // a hint; the requests feel it anyway
  }

  async function signOut(unsent?: 'upload' | 'keep'): Promise<void> {
    const opened = running;
    if (opened === null) return;
    try {
      signedOut = await opened.client.signOut(unsent === undefined ? {} : { unsent });
    } catch (thrown) {
      log.add({ tone: 'bad', text: 'Still signed in.', why: messageOf(thrown) });
      asksToSignOut = unsentOf(status);
      return onChange();
    }
    storeSignedOut(profile.key, signedOut);
    showSignedOut();
  }

  function showSignedOut(): void {
    running?.kill();
    [running, status, asksToSignOut] = [null, null, null];
    inbox.show(null);
    browser.showTab('account');
    log.add({ tone: 'plain', text: `${profile.person.name} signed out.`, why: 'The database stays on the device, for this person only.' });
  }

  function setConnection(next: Connection): void {
    connection = next;
    running?.setConnection(next);
    onChange();
  }

  function showSignedIn(): void {
    log.add({ tone: 'plain', text: `${profile.person.name} signed in.`, why: 'What waited here goes on.' });
    start();
  }

  // In another tab, where this device is the same one.
  watchSignedOut(profile.key, (now) => {
    signedOut = now;
    if (now !== null) showSignedOut();
    else if (running === null) showSignedIn();
  });

  if (signedOut === null) start();
  return {
    profile,
    browser,
    log,
    inbox,
    waiting,
    get connection() {
      return connection;
    },
    get status() {
      return status;
    },
    get asksToSignOut() {
      return asksToSignOut;
    },
    get signedOut() {
      return signedOut;
    },
    get hasHeardFromOthers() {
      return hasHeardFromOthers;
    },
    get fault() {
      return fault;
    },
    setNetwork(mode) {
      storeNetworkMode(profile.key, mode);
      setConnection({ ...connection, mode });
      tellNetwork();
      log.add(NETWORK_LINES[mode]);
    },
    holdBack(holdsBack) {
      setConnection({ ...connection, holdsBack });
      log.add(holdsBack
        ? { tone: 'plain', text: 'One order line is held back on its way.', why: 'What belongs together shows together: its order waits for it.' }
        : { tone: 'plain', text: 'Nothing is held back any more.', why: 'The line comes with the next poll.' });
    },
    async download() {
      if (isDownloading || running === null) return;
      isDownloading = true;
      try {
        await running.client.download();
      } catch (thrown) {
        log.add({ tone: 'bad', text: 'The download stopped.', why: `${messageOf(thrown)} It goes on where it stopped.` });
      } finally {
        isDownloading = false;
      }
    },
    askToSignOut(isAsked) {
      const unsent = unsentOf(status);
      asksToSignOut = isAsked ? unsent : null;
      if (isAsked && unsent === null) void signOut();
      onChange();
    },
    signOut,
    signIn() {
      signedOut = null;
      storeSignedOut(profile.key, null);
      showSignedIn();
    },
    killAndRestart() {
      if (running === null) return;
      running.kill();
      running = null;
      isDownloading = false;
      status = null;
      fault = null;
      log.add({ tone: 'bad', text: 'Killed. No goodbye, nothing written any more.', why: 'As when the system ends an app or the battery dies.' });
      setTimeout(() => {
        log.add({ tone: 'plain', text: 'Started again.', why: 'Everything goes on from what was safe on this device.' });
        start();
      }, RESTART_MS);
      onChange();
    },
    repeatNetwork: tellNetwork,
  };
}

const NETWORK_LINES = {
  online: { tone: 'plain', text: 'The device is online.', why: 'What waits is sent at once.' },
  slow: { tone: 'plain', text: 'The connection is slow.', why: 'Each request takes three seconds.' },
  offline: { tone: 'plain', text: 'The device is offline.', why: 'Every request fails; changes wait here.' },
} as const;

/** What would stay behind; `null` when everything is uploaded. */
function unsentOf(status: SyncStatus | null): Unsent | null {
  if (status === null || status.pending + status.syncErrors + status.drafts === 0) return null;
  const { pending, syncErrors, drafts } = status;
  return { pending, syncErrors, drafts };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
