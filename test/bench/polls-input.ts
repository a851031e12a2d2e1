import { createHmac } from 'node:crypto';

/** The devices of the poll benchmark: each is a user's own, and has read all of its feed. */
export const DEVICES = 20_000;
export const TENANT = 'bench';
export const TOKEN_SECRET = 'of the poll benchmark';

/** The feed of a user, as the rows of the database have it. */
export const FEED_ROWS: readonly string[] = [
  `insert into fieldtide_feed (tenant, user_id, feed, head, floor) select '${TENANT}', 'user-' || n, 'feed' || n, n % 50, 0 from generate_series(0, ${DEVICES - 1}) as n`,
  `insert into fieldtide_device (tenant, store, user_id) select '${TENANT}', 'store-' || n, 'user-' || n from generate_series(0, ${DEVICES - 1}) as n`,
  'vacuum (analyze)',
];

/** A poll of a device as it goes over the wire. */
export function pollRequest(device: number): Buffer {
  const payload = Buffer.from(JSON.stringify({ sub: `user-${device}`, iss: 'https://sign-in.example.com', aud: 'sync', exp: 2_000_000_000, scope: 'sync:read sync:write' })).toString('base64url');
  const signature = createHmac('sha256', TOKEN_SECRET).update(payload).digest('base64url');
  const lines = [
    `GET /sync/feed?cursor=feed${device}.1.${device % 50} HTTP/1.1`,
    'host: sync.example.com',
    'accept: application/vnd.fieldtide+msgpack',
    'fieldtide-protocol: 1',
    `fieldtide-store: store-${device}`,
    'fieldtide-attempt: 0199e0d2-7c3a-7c4e-9d62-3f1f5a8b2c10',
    'fieldtide-pending: 0.0',
    `authorization: Bearer ${payload}.${signature}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}
