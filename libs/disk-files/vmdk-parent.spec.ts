import { describe, expect, it } from 'vitest';
import { inspectDisk } from './inspect-disk.ts';
import { changed, ground } from './planted.fixture.ts';

/** QEMU (block/vmdk.c) searches the first 10 KiB behind the header for the name, wherever the header says the descriptor is. */
describe('a VMDK whose parent is named where QEMU looks for it', () => {
  it('elsewhere than where the header says that the descriptor is, is refused', async () => {
    await using at = await ground();
    const path = at.path('disk.vmdk');
    await at.qemuImg('create', '-f', 'vmdk', path, '4M');
    const bytes = await changed(path, (disk) => {
      const end = Math.ceil(disk.length / 512) * 512;
      const whole = Buffer.alloc(end + 20 * 512);
      disk.copy(whole);
      disk.copy(whole, end, 512, 512 + 20 * 512);
      whole.writeBigUInt64LE(BigInt(end / 512), 28);
      const planted = `parentFileNameHint="${at.secretPath}"\n`;
      whole.write(planted, whole.indexOf(0, 512));
      return whole;
    });
    await at.plant('disk.vmdk', bytes);
    expect(await at.qemuImg('info', '-f', 'vmdk', path).catch((error) => String(error.stderr))).toContain(
      at.secretPath,
    );
    await expect(inspectDisk(path, 'vmdk')).rejects.toMatchObject({ code: 'disk_refers_elsewhere' });
  });

  it('within a line of another kind is refused', async () => {
    await using at = await ground();
    const path = at.path('disk.vmdk');
    await at.qemuImg('create', '-f', 'vmdk', path, '4M');
    const bytes = await changed(path, (disk) => {
      const end = disk.indexOf(0, 512);
      disk.write(`# parentFileNameHint="${at.secretPath}"\n`, end);
      return disk;
    });
    await at.plant('disk.vmdk', bytes);
    expect(await at.qemuImg('info', '-f', 'vmdk', path).catch((error) => String(error.stderr))).toContain(
      at.secretPath,
    );
    await expect(inspectDisk(path, 'vmdk')).rejects.toMatchObject({ code: 'disk_refers_elsewhere' });
  });
});
