import { Injectable } from '@nestjs/common';
import type { VolumeWire } from '#libs/contracts';
import { linuxDevice, type Volume } from '#libs/volumes';
import { CatalogPresenter, presentLocation } from '../catalog/catalog.presenter.ts';
import { wireTime } from '../http/wire.ts';

/** Volumes as the wire has them. */
@Injectable()
export class VolumePresenter {
  constructor(private readonly catalog: CatalogPresenter) {}

  async presentOne(volume: Volume): Promise<VolumeWire> {
    const [presented] = await this.present([volume]);
    if (!presented) throw new Error('one volume in, one volume out');
    return presented;
  }

  async present(volumes: readonly Volume[]): Promise<VolumeWire[]> {
    const locations = await this.catalog.locations();
    return volumes.map((volume) => {
      const location = locations.find(({ id }) => id === volume.locationId);
      if (!location) throw new Error(`volume ${volume.id} is in an unknown location`);
      return {
        id: volume.id,
        name: volume.name,
        size: volume.sizeGib,
        status: volume.status,
        server: volume.serverId,
        location: presentLocation(location),
        linux_device: linuxDevice(volume),
        format: volume.format,
        protection: { delete: volume.isDeleteProtected },
        labels: volume.labels,
        created: wireTime(volume.createdAt),
      };
    });
  }
}
