// SHA-256 (FIPS 180-4), at once: what the platform has answers in a later turn, which costs more than the hash of a token does.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const { roots: ROUND, start: START } = constants();

/** Hashes bytes with SHA-256: 32 bytes that nobody finds other content for. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = START.slice();
  const whole = bytes.length & ~63;
  const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 64) mix(state, input, at);
  // What is left, a one, zeros, and the length in bits.
  const tail = new Uint8Array(bytes.length - whole < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  const last = new DataView(tail.buffer);
  last.setUint32(tail.length - 8, Math.floor(bytes.length / 0x2000_0000));
  last.setUint32(tail.length - 4, bytes.length << 3);
  for (let at = 0; at < tail.length; at += 64) mix(state, last, at);
  const hash = new DataView(new ArrayBuffer(32));
  for (let index = 0; index < 8; index++) hash.setUint32(index * 4, state[index]!);
  return new Uint8Array(hash.buffer);
}

const schedule = new Int32Array(64);

/** Takes one block of 64 bytes in. `schedule` is written anew by each call. */
function mix(state: Int32Array, input: DataView, at: number): void {
  for (let index = 0; index < 16; index++) schedule[index] = input.getInt32(at + index * 4);
  for (let index = 16; index < 64; index++) {
    const x = schedule[index - 15]!, y = schedule[index - 2]!;
    const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[index] = schedule[index - 16]! + low + schedule[index - 7]! + high;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let index = 0; index < 64; index++) {
    const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + sumE + ((e & f) ^ (~e & g)) + ROUND[index]! + schedule[index]!) | 0;
    const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (sumA + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

function constants(): { readonly roots: Int32Array; readonly start: Int32Array } {
  const primes: number[] = [];
  for (let number = 2; primes.length < 64; number++) if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  const fraction = (root: number): number => ((root - Math.floor(root)) * 0x1_0000_0000) | 0;
  return { roots: Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))), start: Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))) };
}
