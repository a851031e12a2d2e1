/** Exact decimals as text, the way the schema's `decimal()` fields hold them: `'12.5'`, never a float. */
export function multiplyDecimals(left: string, right: string): string {
  const [leftDigits, leftScale] = parseDecimal(left);
  const [rightDigits, rightScale] = parseDecimal(right);
  return formatDecimal(leftDigits * rightDigits, leftScale + rightScale);
}

export function addDecimals(values: readonly string[]): string {
  const parsed = values.map(parseDecimal);
  const scale = Math.max(0, ...parsed.map(([, own]) => own));
  const sum = parsed.reduce((total, [digits, own]) => total + digits * 10n ** BigInt(scale - own), 0n);
  return formatDecimal(sum, scale);
}

/** Writes a whole number of cents as a decimal: 1250 → `'12.5'`. */
export function centsToDecimal(cents: number): string {
  return formatDecimal(BigInt(cents), 2);
}

function parseDecimal(text: string): readonly [digits: bigint, scale: number] {
  const [whole = '0', fraction = ''] = text.split('.');
  return [BigInt(whole + fraction), fraction.length];
}

function formatDecimal(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  const fraction = text.slice(text.length - scale).replace(/0+$/, '');
  return sign + whole + (fraction === '' ? '' : `.${fraction}`);
}
