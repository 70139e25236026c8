import { isHypervisorError } from '#libs/hypervisor';
import { departedImages, noteDeparted } from '#libs/images';
import type { HostWorld } from './host-world.ts';

/** Removes imported images from a host when their owners have deleted them and nothing stands on them any more. */
export async function reconcileImages({ dataSource, hypervisor, ref, host }: HostWorld): Promise<void> {
  for (const { id, volumeName } of await departedImages(dataSource.manager, host.id)) {
    try {
      await hypervisor.deleteImage(ref, volumeName);
      await noteDeparted(dataSource.manager, id, host.id);
    } catch (error) {
      // A snapshot of a server that was made of it stands on it.
      if (!isHypervisorError(error, 'image_in_use')) throw error;
    }
  }
}
