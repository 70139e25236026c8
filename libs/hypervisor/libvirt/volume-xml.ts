import type { ImageFormat } from '../port/images.ts';
import { writeXml } from './xml.ts';

export interface VolumePlan {
  readonly name: string;
  readonly capacityBytes: number;
  /** Bytes to reserve at once; 0 leaves holes. */
  readonly allocationBytes: number;
  readonly format: ImageFormat;
  readonly backing?: { readonly path: string; readonly format: ImageFormat };
}

/** A volume to be made. Only root and the host's QEMU may read it: disks hold what customers store. */
export function volumeXml(plan: VolumePlan): string {
  return writeXml({
    volume: {
      name: plan.name,
      capacity: { '@unit': 'bytes', '#text': plan.capacityBytes },
      allocation: { '@unit': 'bytes', '#text': plan.allocationBytes },
      target: { format: { '@type': plan.format }, permissions: { mode: '0600' } },
      backingStore: plan.backing && {
        path: plan.backing.path,
        format: { '@type': plan.backing.format },
      },
    },
  });
}
