/** Where requests of one connection come from. */
export interface RequestOrigin {
  readonly address: string;
  readonly protocol: 'http' | 'https';
  /** Of HTTP, as the client spoke it (RFC 9110 §7.6.3). */
  readonly version: '1.1' | '2.0';
}
