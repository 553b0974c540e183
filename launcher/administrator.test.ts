import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { firstAdministrator } from './administrator.ts';
import { openInstallation } from './installation.ts';

test('the first administrator is the installation’s, or whom the operator names, with the password from where they keep it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skyrun-administrator-'));
  try {
    const installation = openInstallation(join(directory, 'secrets.json'));
    const own = { email: 'admin@skyrun.local', password: installation.adminPassword, chosen: false };
    expect(firstAdministrator(installation, {})).toEqual(own);
    const named = { SKYRUN_ADMIN_EMAIL: 'ada@example.com', SKYRUN_ADMIN_PASSWORD: 'a long pass phrase' };
    expect(firstAdministrator(installation, named)).toEqual({
      email: 'ada@example.com',
      password: 'a long pass phrase',
      chosen: true,
    });
    const file = join(directory, 'password');
    writeFileSync(file, 'kept in a file\n');
    expect(firstAdministrator(installation, { SKYRUN_ADMIN_PASSWORD_FILE: file })).toEqual({
      ...own,
      password: 'kept in a file',
      chosen: true,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
