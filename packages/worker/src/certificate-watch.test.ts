import { renameSync } from 'node:fs';
import { memoryLog } from '@srs/kernel';
import { expect, it, vi } from 'vitest';
import { certificate, expired, Files } from '../../../test/support/certificates.ts';
import { CertificateWatch } from './certificate-watch.ts';

it('a certificate that was renewed under its name is used; one that does not fit its key is not, and the old one stays', async () => {
  using files = new Files();
  const paths = { key: files.write('key.pem', expired.key), cert: files.write('cert.pem', expired.cert) };
  const log = memoryLog();
  const onRenewed = vi.fn();
  const watch = new CertificateWatch({ where: 'https', files: () => paths, onRenewed, log, everyMs: 10 });
  try {
    expect(watch.load(paths)).toEqual(expired);
    // As certbot does: a new file takes the place of the old one.
    renameSync(files.write('new-cert.pem', certificate.cert), paths.cert);
    await vi.waitFor(() => {
      expect(log.lines.map(({ text }) => text).join()).toMatch(/the renewed certificate cannot be used: .* must belong together/);
    });
    expect(onRenewed).not.toHaveBeenCalled();
    renameSync(files.write('new-key.pem', certificate.key), paths.key);
    await vi.waitFor(() => expect(onRenewed).toHaveBeenCalledWith(certificate));
    expect(log.lines.at(-1)?.text).toBe(`https / cert ${paths.cert} was renewed`);
    expect(onRenewed).toHaveBeenCalledTimes(1);
  } finally {
    watch.close();
  }
});
