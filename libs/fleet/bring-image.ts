import { type Hypervisor, HypervisorError, type ImageFile, type OnProgress } from '#libs/hypervisor';
import type { Image } from '#libs/images';
import { type Host, toHostRef } from '#libs/placement';

/**
 * Brings an image to a host that can start its guests, so that none is placed where it cannot.
 * @throws HypervisorError `firmware_missing`, and those of `importImage`
 */
export async function bringImage(
  hypervisor: Hypervisor,
  host: Host,
  image: Pick<Image, 'devices'> & { readonly file: ImageFile },
  onProgress?: OnProgress,
): Promise<void> {
  const ref = toHostRef(host);
  const { firmware } = image.devices;
  if (firmware !== 'bios' && !(await hypervisor.inspectHost(ref)).firmwares.includes(firmware)) {
    throw new HypervisorError(
      'firmware_missing',
      `Host ${host.name} starts no guests by UEFI: install ovmf there.`,
      { details: { host: host.name } },
    );
  }
  await hypervisor.importImage(ref, image.file, onProgress);
}
