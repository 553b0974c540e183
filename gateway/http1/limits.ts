/** Bounds on what a peer may send, in bytes and counts. Each refusal at a bound is a 400 or a 502, never a cut. */
export interface HeadLimits {
  /** Request line or status line with all fields and the empty line. */
  readonly headBytes: number;
  readonly fields: number;
  readonly lineBytes: number;
}

export const REQUEST_LIMITS: HeadLimits = { headBytes: 32_768, fields: 100, lineBytes: 16_384 };
export const RESPONSE_LIMITS: HeadLimits = { headBytes: 65_536, fields: 200, lineBytes: 32_768 };

/** Fifteen digits stay below 2^53, so arithmetic on lengths is exact. */
export const MAX_LENGTH_DIGITS = 15;
/** 2^48 bytes in one chunk: beyond any message, below 2^53. */
export const MAX_CHUNK_DIGITS = 12;
export const MAX_CHUNK_LINE_BYTES = 512;
export const MAX_TRAILER_BYTES = 8192;
