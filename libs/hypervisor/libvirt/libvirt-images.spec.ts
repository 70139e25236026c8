import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { HostRef } from '../port/hosts.ts';
import { LibvirtHypervisor } from './index.ts';

const host: HostRef = {
  ...{ id: 1, name: 'kvm-1', uri: 'qemu:///system', domainType: 'qemu' },
  ...{ imagePool: 'images', diskPool: 'disks', bridge: 'br0' },
};

/** Stands in for virsh at a host whose storage hangs: what is uploaded goes nowhere, and all else is answered. */
const HANGING = `#!/bin/sh
printf 'virsh # '
while IFS= read -r line; do
  printf '%s\\n' "$line"
  case "$line" in
    'echo --err '*) printf 'error: %s\\n' "\${line#echo --err }" >&2 ;;
    'echo '*) printf '%s\\n' "\${line#echo }" ;;
    '"vol-upload"'*) exec sleep 600 ;;
  esac
  printf 'virsh # '
done
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'servery-images-'));
  writeFileSync(join(folder, 'virsh'), HANGING);
  chmodSync(join(folder, 'virsh'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('gives an upload up that stands still: the images of all hosts wait behind it', async () => {
  const disk = Buffer.alloc(64 * 1024, 7);
  const path = join(folder, 'disk.raw');
  writeFileSync(path, disk);
  using hypervisor = new LibvirtHypervisor({ installationId: 'test', copyStallSeconds: 1 });
  const sha256 = createHash('sha256').update(disk).digest('hex');
  const image = { volumeName: 'image.qcow2', path, format: 'raw', sha256, virtualSizeBytes: disk.length };
  await expect(hypervisor.importImage(host, { ...image, format: 'raw' })).rejects.toMatchObject({
    code: 'host_timeout',
    message: expect.stringContaining('stood still'),
  });
}, 15_000);
