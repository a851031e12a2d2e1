/** The longest wait that a server can ask for, in milliseconds: more is a mistake somewhere, and must not silence a device for days. */
export const MOST_WAIT_MS = 3_600_000;

/**
 * Reads how long a server asks to wait: seconds, or a date. A date is measured against the server's own `date` header, because the
 * device's clock may be off by years; without one it says nothing.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>): number | null {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, MOST_WAIT_MS);
  const waitMs = parseHttpDate(value) - parseHttpDate(headers.date ?? '');
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), MOST_WAIT_MS);
}

// Only the one form that servers may send (RFC 9110): `Date.parse` takes almost anything else for a date too.
function parseHttpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
}
