/** The randomness port. The real one uses the platform's cryptographic source; the simulator passes a seeded one. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** Fresh random bytes. */
  bytes(length: number): Uint8Array;
}
