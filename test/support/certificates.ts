/** Keys and certificates for `localhost` and 127.0.0.1, made for tests only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const pem = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** Valid until the year 2120. */
export const certificate = {
  key: pem(
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/9l6r170ihC8wLuz',
    '+jRcYQENHPnhiBGe2Frj+3EHt6yhRANCAAQ+gPJn7kkwGnLHLraC7Fo8P1PeCjoT',
    '+I7e3j3yZwuHvtHaAFkUQIrdpuM0Vbe421kMV0BUMTV6ZdMsBqO0xhY7',
    '-----END PRIVATE KEY-----',
  ),
  cert: pem(
    '-----BEGIN CERTIFICATE-----',
    'MIIBVTCB/KADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z',
    'dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ',
    'bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPoDyZ+5JMBpyxy62',
    'guxaPD9T3go6E/iO3t498mcLh77R2gBZFECK3abjNFW3uNtZDFdAVDE1emXTLAaj',
    'tMYWO6M9MDswGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1UdDgQWBBRT',
    'qFkTaXg0TJPlnN8Gxgtv5AVoHjAKBggqhkjOPQQDAgNIADBFAiB3NAL5Ba7oi0Dn',
    'BkwI2yGhApQ7cCwVCOA3uwzI9kUqqgIhAIZDRYNe/R5SixaiE7y4vrUklq+Kcxhx',
    'plAlstV3A1Vx',
    '-----END CERTIFICATE-----',
  ),
};

/** Valid until the year 2021. */
export const expired = {
  key: pem(
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghn8hHYfINrU6aX7g',
    'Er40XipFvOhvogJZXZuwowKollmhRANCAASdYFf06GWWtdKUz8Tya7Srzy2KsEbC',
    'P5UmXDEfopjvU3DPFTRUoi1hnypM1HN/3QqMQa6XOmeRKsG9JhdE9jlt',
    '-----END PRIVATE KEY-----',
  ),
  cert: pem(
    '-----BEGIN CERTIFICATE-----',
    'MIIBUjCB+qADAgECAgECMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z',
    'dDAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxv',
    'Y2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ1gV/ToZZa10pTPxPJr',
    'tKvPLYqwRsI/lSZcMR+imO9TcM8VNFSiLWGfKkzUc3/dCoxBrpc6Z5Eqwb0mF0T2',
    'OW2jPTA7MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUQbyL',
    '9ul4ZiW4ifF52Uud98BEGW4wCgYIKoZIzj0EAwIDRwAwRAIgIkge4SXOAwwxr1Aj',
    '8i+FL0dvgghWlPJdMiJ+i4zfOmwCIBbulz86mJjJZd6P9IqjvEQZGbB1fCnzJ1hP',
    'pRKatre9',
    '-----END CERTIFICATE-----',
  ),
};

/** The beginning of a TLS handshake: a record whose head says that 256 bytes follow, of which these are the first. */
export const halfClientHello = Buffer.concat([Buffer.from('1603010100010000fc0303', 'hex'), Buffer.alloc(20)]);

/** A directory with files of these contents. */
export class Files implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'srs-tls-'));

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
